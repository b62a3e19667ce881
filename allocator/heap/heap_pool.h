// Heap structs: made once, used again, never unmapped, since a page may point to the heap of a thread that has ended.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// A live, empty heap for the thread; null when there is no memory.
Heap* take_heap(ThreadId thread);
// The heap has no page left.
void give_heap(Heap* heap);

// A fresh id; see ThreadId.
ThreadId new_thread_id();

// Every struct ever made, linked by next_heap.
Heap* first_heap();

// For fork: with the pool locked and the lock of every heap held, no list of pages is half changed. In the child every
// live heap but the caller's has lost its thread.
void lock_heaps();
void unlock_heaps();
void mark_vanished_heaps(const Heap* survivor);

void reset_heap_pool();

}  // namespace xi
