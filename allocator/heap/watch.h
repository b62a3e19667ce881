// Heaps whose allocations are looked at one by one: for guarded blocks, which end where inaccessible memory begins, and
// for the heap profile. The fast paths know nothing of it: while a watched heap is the current one, thread_state.heap
// is `watching_heap`, which has no pages, so that each call takes the slow path; that serves it from the heap in the
// quick way, unless the block is one to be sampled. A sampled block gets a mapping of its own, so that its free is seen
// too.
#pragma once

#include "allocator/heap/alloc.h"

namespace xi {

// An allocation of the calling thread, whose current heap is watched.
Allocation allocate_watched(size_t size);

// The heap takes the options that heaps begin with.
void begin_watch(Heap* heap);
// Guards each `rate`-th block (0: none) of the heap, the first one after `seed` % `rate` others.
void guard_each(Heap* heap, size_t rate, size_t seed);

// The heap, one of the calling thread's, is watched if it is to be: the options may have changed.
void follow_watch(Heap* heap);

// What the first sample would have to allocate is allocated.
void prepare_profile();

// Until the end of it blocks of the calling thread are not sampled.
class Unwatched {
 public:
  Unwatched() { thread_state.heap = thread_state.current; }
  ~Unwatched() { thread_state.use(thread_state.current); }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

}  // namespace xi
