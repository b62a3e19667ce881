// The life of the process and of its threads, as the allocator sees it.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// Reads the options, once a process. Any thread may call it at any time.
void start_process();

// The calling thread's heap is abandoned: its pages stay for those who free into them or look for room. Runs when a
// thread ends; a thread that allocates after that gets a heap again.
void end_thread();

#if defined(XIMALLOC_TEST_SEAMS)
// The process is as if it had never called; see xi_debug_reset().
void reset_process();
#endif

// The lock that is held while the process starts, for the fork handlers.
void lock_process();
void unlock_process();

// Called before, and after, a fork.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

}  // namespace xi
