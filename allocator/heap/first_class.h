// Heaps that a program makes beside its threads' own: their pages are exclusive, so that all their blocks can be freed
// at once. One thread uses such a heap; when that has ended, any thread may end it.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

struct HeapWish {
  Arena* arena = nullptr;  // the only one that it allocates from
  uint8_t tag = 0;
  bool allow_destroy = true;
};

// A new heap of the calling thread; null when there is no memory.
Heap* new_heap(const HeapWish& wish);

// True when the calling thread may use the heap.
bool is_usable(const Heap* heap);
// True when the calling thread may end the heap: it may use it, and it is not its first one, or its thread has ended.
bool may_end(const Heap* heap);

// The heap ends. Its blocks live on in the calling thread's first heap; or they are free, if it allows that.
void delete_heap(Heap* heap);
void destroy_heap(Heap* heap);

}  // namespace xi
