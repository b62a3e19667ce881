// A walk over the blocks of a heap that are in use, exact whatever list the free ones are in.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

struct VisitedPage {
  Heap* heap;  // null: an ended thread's own
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

// The same for all that the ended threads of a subprocess have left (subprocess.h), their made heaps included, where
// the tag is the page's or negative. For any thread; no other may end one of these heaps meanwhile.
bool visit_abandoned(Heap* orphans, int tag, bool all_blocks, BlockVisitor visitor, void* context);

}  // namespace xi
