// Pages change hands: released when they are full or their thread ends, claimed by a free into them or by a thread
// that looks for room, and then adopted, left, or ended.
//
// The bit of a page in its arena's `abandoned` bitmap is set and cleared only by the page's owner, so that nobody ever
// waits for it: a reader takes it as a hint, claims the page, and then looks whether the page is what the bit said.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// Decides about a page that the caller has claimed and that is in no queue. It ends when all its blocks are free; it
// goes into the queue of its heap when that is one of the calling thread's, whose first is `backing` (null: never), or
// into that of `backing` when it is nobody's, has room, and `backing` has few of that bin; else it is released again,
// findable while it has enough room to be worth it: by all when its bit is set, by its own heap alone when it is
// exclusive.
void settle(Page* page, Heap* backing);

// With less than an eighth of its blocks free a page is not worth the search: it would be full again at once. For the
// page's owner.
bool has_room(const Page* page);

// Takes a page out of the heap's queue and releases it.
void release_page(Heap* heap, Page* page);

// Puts an abandoned page of the bin, which has room, into the front of the heap's queue; null when there is none.
Page* reclaim(Heap* heap, Bin bin);

// For a heap that has exclusive pages: those that others have freed blocks of go back into its queues, or end.
void take_returned_pages(Heap* heap);

// Ends what is free among the abandoned pages of all bins. With `purge` memory of free blocks inside of the others goes
// back too, where there is more of it than at the last time.
void collect_abandoned(bool purge);

// The first page of the heap's list, which the caller then owns and which is in no queue; null when there is none left.
// `heap` is one that the caller ends.
Page* take_first_page(Heap* heap);

// A claimed page of a subprocess that ends goes to the main one's orphans.
void give_to_main(Page* page);

// Puts a claimed page into the heap's queue.
void adopt(Heap* heap, Page* page);

// Pages of the bin whose bit is set.
size_t abandoned_pages(Bin bin);

void reset_ownership();

}  // namespace xi
