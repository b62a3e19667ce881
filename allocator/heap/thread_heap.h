// The only thread_local of the allocator: which heap the thread allocates from, and who it is.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// The id of a thread that has no heap: differs from every thread's, and from the owner of a released page.
inline constexpr ThreadId kUnknownThread{1};

struct ThreadState {
  // What the fast path allocates from: `current`, or watching_heap while that is watched.
  Heap* heap = const_cast<Heap*>(&empty_heap);
  Heap* current = const_cast<Heap*>(&empty_heap);  // `chosen`, and inside of a call for some heap that one
  Heap* chosen = const_cast<Heap*>(&empty_heap);   // the thread's default heap
  Heap* backing = nullptr;  // its first one, which lives as long as the thread, and is in front of
                            // the list of all its heaps (next_of_thread)
  ThreadId id = kUnknownThread;
  uint8_t subprocess = 0;  // that its next first heap is of
#if defined(XIMALLOC_TEST_SEAMS)
  // All threads that have a state to reset.
  ThreadState* next = nullptr;
  ThreadState* prev = nullptr;
#endif

  bool has_heap() const { return heap != &empty_heap; }
  void use(Heap* one) {
    current = one;
    heap = one->is_watched ? const_cast<Heap*>(&watching_heap) : one;
  }
};

// __thread: never initialised at run time, so that an access is one load, and there is no wrapper function (which would
// lie outside the allocator's section).
XI_HIDDEN extern __thread ThreadState thread_state;

// A call for `heap`, which is the calling thread's: until it ends the thread allocates from there.
class HeapCall {
 public:
  explicit HeapCall(Heap* heap) { thread_state.use(heap); }
  ~HeapCall() { thread_state.use(thread_state.chosen); }
  HeapCall(const HeapCall&) = delete;
  HeapCall& operator=(const HeapCall&) = delete;
};

// Around functions of the program that are called from inside a HeapCall: what they allocate is not that heap's.
class OutsideOfHeapCall {
 public:
  OutsideOfHeapCall() : inside_(thread_state.current != thread_state.chosen ? thread_state.current : nullptr) {
    if (inside_ != nullptr) thread_state.use(thread_state.chosen);
  }
  ~OutsideOfHeapCall() {
    if (inside_ != nullptr) thread_state.use(inside_);
  }
  OutsideOfHeapCall(const OutsideOfHeapCall&) = delete;
  OutsideOfHeapCall& operator=(const OutsideOfHeapCall&) = delete;

 private:
  Heap* inside_;
};

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
