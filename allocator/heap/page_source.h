// Where pages come from and go to: slices, page map, and the heap's list of all its pages.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// A new page of the bin in the front of the heap's queue; null when there is no memory.
Page* new_page(Heap* heap, Bin bin);

// A block of `size` bytes at a multiple of `alignment`, alone in its page. `zero` says whether all of it but the first
// word is known to be zero. Null when there is no memory.
void* new_huge_block(Heap* heap, size_t size, size_t alignment, bool* zero);

// A block of `size` bytes alone in a mapping of its own, at its end; with `guarded` what follows cannot be touched, if
// the system allows that. All but its first word is zero. The address is null when there is no memory. Until it is
// released its page is the caller's.
struct SampledBlock {
  void* address;
  Page* page;
};
SampledBlock new_sampled_block(Heap* heap, size_t size, bool guarded);
void release_sampled_block(const SampledBlock& block);

// Ends a page that the caller owns, in no queue, with every block free; its slices or mapping go back.
void end_page(Page* page);

}  // namespace xi
