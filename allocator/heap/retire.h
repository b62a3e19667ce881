// Pages whose last block was freed are kept for a while, since a program that frees one often allocates the next.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// A page in the heap's queue has become empty.
void retire(Heap* heap, Page* page);

// The page leaves the queue for another reason.
void unretire(Heap* heap, Page* page);

// Called at each slow path: ends the pages that stayed empty for long; with `all`, every empty one.
void age_retired(Heap* heap, bool all);

}  // namespace xi
