#include "allocator/heap/page_source.h"

#include "allocator/arena/arena_set.h"
#include "allocator/base/assert.h"
#include "allocator/heap/profile.h"
#include "allocator/os/memory.h"
#include "allocator/page/interior.h"
#include "allocator/page/page_pool.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/report.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

void enter_page(Page* page) {
  page_map::enter(page->start, page->slices, page);
  statistics.pages.add(1);
  if (page->is_huge()) statistics.huge_pages.add(1);
}

Page* begin_in_arena(const SliceClaim& claim, Bin bin, size_t block_size) {
  auto* const page = static_cast<Page*>(claim.arena->page_meta(claim.first));
  const size_t bytes = claim.count << kSliceShift;
  page->begin({.start = claim.arena->address_of_slice(claim.first),
               .slices = claim.count,
               .block_size = block_size,
               .reserved = static_cast<uint32_t>(bytes / block_size),
               .bin = bin,
               .zero = claim.zero,
               .arena = claim.arena});
  enter_page(page);
  return page;
}

// A mapping of its own, for what no arena can hold, with slices for a guard behind the block; null when there is no
// memory.
Page* try_mapping(size_t block_slices, size_t alignment, size_t guard_slices) {
  const size_t slices = block_slices + guard_slices;
  const size_t size = slices << kSliceShift;
  if (!begin_mapping(size)) return nullptr;
  Page* const page = take_page_struct();
  void* start = nullptr;
  if (page != nullptr && os::map(size, alignment, os::Purpose::kBlocks, &start) == 0) {
    if (page_map::cover(address_of(start), size)) {
      page->begin({.start = address_of(start),
                   .slices = slices,
                   .block_size = block_slices << kSliceShift,
                   .reserved = 1,
                   .bin = kHugeBin,
                   .zero = true,
                   .arena = nullptr});
      enter_page(page);
      statistics.reserved_bytes.add(static_cast<int64_t>(size));
      return page;
    }
    os::unmap(start, size);
  }
  if (page != nullptr) give_page_struct(page);
  end_mapping(size);
  return nullptr;
}

Page* begin_in_mapping(size_t slices, size_t alignment) {
  Page* const page = try_mapping(slices, alignment, 0);
  if (page != nullptr) return page;
  // Free memory that still waits for its purge may be what the system lacks.
  purge_arenas(true);
  return try_mapping(slices, alignment, 0);
}

void end_mapping_of(Page* page, uintptr_t start, size_t size) {
  void* const address = reinterpret_cast<void*>(start);
  give_page_struct(page);
  if (const int error = os::unmap(address, size)) {
    warn_unmap_failed(error);
    return;
  }
  end_mapping(size);
  statistics.reserved_bytes.add(-static_cast<int64_t>(size));
}

bool claim_for(const Heap* heap, size_t slices, size_t alignment, SliceClaim* out) {
  return (heap->arena != nullptr ? claim_slices_in(heap->arena, slices, alignment, out)
                                 : claim_slices(slices, alignment, out)) == 0;
}

void give_to(Heap* heap, Page* page) {
  page->exclusive = !heap->is_backing;
  page->tag = heap->tag;
  page->subprocess = heap->subprocess;
  heap->attach(page);
}

}  // namespace

Page* new_page(Heap* heap, Bin bin) {
  SliceClaim claim;
  if (!claim_for(heap, bin.page_slices(), kSliceSize, &claim)) {
    // A shorter page may still fit: nobody is refused a block while there is room for it.
    const size_t least = bin.least_slices();
    if (least == bin.page_slices() || !claim_for(heap, least, kSliceSize, &claim)) return nullptr;
  }
  Page* const page = begin_in_arena(claim, bin, bin.block_size());
  give_to(heap, page);
  page->set_owner(heap->thread);
  heap->enqueue_front(page);
  return page;
}

void* new_huge_block(Heap* heap, size_t size, size_t alignment, bool* zero) {
  const size_t slices = size == 0 ? 1 : (size + kSliceSize - 1) >> kSliceShift;
  Page* page = nullptr;
  SliceClaim claim;
  if (heap->arena == nullptr && (alignment > kArenaAlignment || slices > max_claim_slices())) {
    page = begin_in_mapping(slices, alignment);
  } else if (claim_for(heap, slices, alignment, &claim)) {
    page = begin_in_arena(claim, kHugeBin, slices << kSliceShift);
  } else if (heap->arena == nullptr) {
    // Arenas have sizes of their own: what none can be made for may still have room.
    page = begin_in_mapping(slices, alignment);
  }
  if (page == nullptr) return nullptr;
  give_to(heap, page);
  *zero = page->memory_is_zero;
  page->refill();
  void* const block = page->pop();
  // Full, and so without an owner: whoever frees the block gets the page.
  const bool released = page->try_release();
  XI_ASSERT(released);
  return block;
}

SampledBlock new_sampled_block(Heap* heap, size_t size, bool guarded) {
  if (size > kMaxRequest - kSliceSize) return {nullptr, nullptr};
  const size_t usable = block_size_for(size);
  const size_t slices = (usable + kSliceSize - 1) >> kSliceShift;
  Page* const page = try_mapping(slices, kSliceSize, guarded ? 1 : 0);
  if (page == nullptr) return {nullptr, nullptr};
  const size_t bytes = slices << kSliceShift;
  if (guarded) os::decommit(reinterpret_cast<void*>(page->start + bytes), kSliceSize);
  give_to(heap, page);
  page->refill();
  auto* const start = static_cast<char*>(page->pop());
  const size_t distance = bytes - usable;
  if (distance != 0) {
    os::will_use(page->start, bytes);
    page->allow_interior_blocks();
    mark_interior(start, distance);
  }
  return {start + distance, page};
}

void release_sampled_block(const SampledBlock& block) {
  const bool released = block.page->try_release();
  XI_ASSERT(released);
}

void end_page(Page* page) {
  if (page->is_huge()) forget_sample(page);
  Heap::detach(page);
  page_map::enter(page->start, page->slices, nullptr);
  statistics.pages.add(-1);
  if (page->is_huge()) statistics.huge_pages.add(-1);
  const uintptr_t start = page->start;
  const size_t slices = page->slices;
  Arena* const arena = page->arena;
  page->end();
  if (arena == nullptr) {
    end_mapping_of(page, start, slices << kSliceShift);
  } else {
    release_slices({.arena = arena, .first = arena->slice_of(start), .count = slices, .zero = false});
  }
}

}  // namespace xi
