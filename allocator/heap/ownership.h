// Pages change hands: released when they are full or their thread ends, claimed by a free into them or by a thread
// that looks for room, and then adopted, left, or ended.
//
// The bit of a page in its arena's `abandoned` bitmap is set and cleared only by the page's owner, so that nobody ever
// waits for it: a reader takes it as a hint, claims the page, and then looks whether the page is what the bit said.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// Decides about a page that the caller has claimed and that is in no queue. It ends when all its blocks are free; it
// goes into the queue of `heap` (null: never) when it is that heap's, or nobody's and has room; else it is released
// again, with its bit set while it has enough room to be worth finding.
void settle(Page* page, Heap* heap);

// Takes a page out of the heap's queue and releases it.
void release_page(Heap* heap, Page* page);

// Puts an abandoned page of the bin, which has room, into the front of the heap's queue; null when there is none.
Page* reclaim(Heap* heap, Bin bin);

// Ends what is free among the abandoned pages of all bins.
void collect_abandoned();

// Puts a claimed page into the heap's queue.
void adopt(Heap* heap, Page* page);

// Pages of the bin whose bit is set.
size_t abandoned_pages(Bin bin);

void reset_ownership();

}  // namespace xi
