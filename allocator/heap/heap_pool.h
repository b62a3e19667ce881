// Heap structs: made once, used again, never unmapped, since a page may point to the heap of a thread that has ended.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// A live, empty heap for the thread; null when there is no memory.
Heap* take_heap(ThreadId thread, bool is_backing, uint8_t subprocess);
// An empty list for the pages of ended threads; null when there is no memory.
Heap* take_orphans(uint8_t subprocess);
// Either has no page left.
void give_heap(Heap* heap);

// The thread of the heap ends; its pages have been released, and stay its own.
void orphan_heap(Heap* heap);
// True for a heap that was left so by a thread of the subprocess.
bool is_orphaned(const Heap* heap, uint8_t subprocess);
// Heaps that ended threads have left go from a subprocess to the main one. False, and nothing happens, while a thread
// of it has a heap.
bool merge_heaps_into_main(uint8_t subprocess);

// What the heap's thread has counted goes into the process's statistics; for that thread alone. And what all heaps have
// that was not merged yet.
void merge_statistics(Heap* heap);
int64_t unmerged_slow_paths();

// A fresh id; see ThreadId.
ThreadId new_thread_id();

// Every struct ever made, linked by next_heap; the last one is the list of the main subprocess's orphans.
Heap* first_heap();
extern Heap main_orphans;

// For fork: with the pool locked and the lock of every heap held, no list of pages is half changed. In the child every
// live heap of another thread has lost its own.
void lock_heaps();
void unlock_heaps();
void mark_vanished_heaps(ThreadId survivor);

void reset_heap_pool();

}  // namespace xi
