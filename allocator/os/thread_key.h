// What the C library tells us about threads: that one ends, and that the process forks.
#pragma once

namespace xi::os {

// `at_exit` runs on each thread that called arm_thread_exit(), when it ends; once for each time it was armed, up to
// the system's limit of rounds. Returns 0 or an errno value; only after a 0 may threads be armed. The caller sees to it
// that no two threads call it at a time.
int create_thread_key(void (*at_exit)());
void arm_thread_exit();
#if defined(XIMALLOC_TEST_SEAMS)
// Takes that back for the calling thread, and says whether it had been done: for a thread that does as if it ended.
bool disarm_thread_exit();
#endif

// The handlers run in the forking thread. Handlers registered first run last before a fork and first after it, so that
// an allocator has to be early: other libraries' handlers allocate.
void register_fork_handlers(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace xi::os
