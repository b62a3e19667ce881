// The only thread_local of the allocator: which heap the thread allocates from, and who it is.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// The id of a thread that has no heap: differs from every thread's, and from the owner of a released page.
inline constexpr ThreadId kUnknownThread{1};

struct ThreadState {
  Heap* heap = const_cast<Heap*>(&empty_heap);
  ThreadId id = kUnknownThread;
#if defined(XIMALLOC_TEST_SEAMS)
  // All threads that have a state to reset.
  ThreadState* next = nullptr;
  ThreadState* prev = nullptr;
#endif

  bool has_heap() const { return heap != &empty_heap; }
};

// __thread: never initialised at run time, so that an access is one load, and there is no wrapper function (which would
// lie outside the allocator's section).
XI_HIDDEN extern __thread ThreadState thread_state;

// The calling thread's own state begins or ends to be used.
void register_thread_state();
void unregister_thread_state();

#if defined(XIMALLOC_TEST_SEAMS)
// All threads are as if they had never called; they must not be inside the allocator.
void reset_thread_states();
#endif

// For fork handlers; in the child, other threads' states are gone with them.
void lock_thread_states();
void unlock_thread_states();
void forget_other_thread_states();

}  // namespace xi
