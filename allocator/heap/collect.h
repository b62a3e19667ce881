// Giving free memory back: one thread's heap, abandoned pages, arenas.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// Ends the heap's empty pages; the lists of all its pages are brought up to date. With `purge` the memory of free
// blocks inside of the others goes back too.
void collect_heap(Heap* heap, bool purge);

// What xi_collect promises: the calling thread's heap and abandoned pages give back what is free, the arenas what is
// due (all with `force`). With `force` other live heaps follow at their next slow path.
void collect(bool force);

// Does what the last collect(true) of any thread asked for, if this heap has not yet.
void follow_collect_requests(Heap* heap);

// As collect(true), and pages of the thread's first heap are released until at most `target` bytes are in its queues.
void collect_and_reduce(size_t target);

void reset_collect();

}  // namespace xi
