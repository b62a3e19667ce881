// A walk over the blocks of a heap that are in use, exact whatever list the free ones are in.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

struct VisitedPage {
  void* start;
  size_t bytes;
  size_t used;
  size_t block_size;
  int tag;
};

// Called with a null block for each page, and, if wished, then for each block of it; false ends the walk.
using BlockVisitor = bool (*)(const VisitedPage& page, void* block, void* context);

// For the heap's own thread. The visitor must not free blocks of the heap or allocate from it. False when it ended the
// walk.
bool visit_heap(Heap* heap, bool all_blocks, BlockVisitor visitor, void* context);

}  // namespace xi
