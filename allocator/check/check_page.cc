#include "allocator/check/check.h"
#include "allocator/page/page_purge.h"
#include "allocator/page_map/page_map.h"

namespace xi {

namespace {

// Which blocks of a page some list has been seen to hold. Sized for the page with the most blocks.
class SeenBlocks {
 public:
  // False when it was seen before.
  bool add(size_t block) {
    const uint64_t bit = uint64_t{1} << (block % 64);
    const bool fresh = (words_[block / 64] & bit) == 0;
    words_[block / 64] |= bit;
    return fresh;
  }

 private:
  uint64_t words_[kSliceSize / 8 / 64] = {};
};

// Walks a list; every block must lie in the page and be in no list yet. Returns the number of blocks.
size_t check_list(const Page* page, const Block* head, SeenBlocks& seen, CheckReport& report) {
  size_t count = 0;
  for (const Block* block = head; block != nullptr; block = next_of(block), ++count) {
    const uintptr_t offset = address_of(block) - page->start;
    const size_t index = offset / page->block_size;
    if (!report.expect(offset % page->block_size == 0 && index < page->capacity, "a free list leads out of its page",
                       address_of(block))) {
      break;
    }
    if (!report.expect(seen.add(index), "a block is twice in the free lists of its page", address_of(block))) break;
  }
  return count;
}

void check_shape(const Page* page, CheckReport& report) {
  const uintptr_t start = page->start;
  report.expect(is_aligned(start, kSliceSize), "a page does not begin at a slice", start);
  if (!page->is_huge()) {
    report.expect(page->bin.index() < kBinCount && page->block_size == page->bin.block_size(),
                  "a page's block size is not that of its bin", start);
    report.expect(page->slices == page->bin.page_slices() || page->slices == page->bin.least_slices(),
                  "a page has not the slices of its bin", start);
  }
  const size_t fitting = page->is_huge() ? 1 : (page->slices << kSliceShift) / page->block_size;
  report.expect(page->reserved == fitting, "a page's number of blocks does not follow from its size", start);
  report.expect(page->used <= page->capacity && page->capacity <= page->reserved,
                "a page counts more blocks than it has", start);
  for (size_t i = 0; i < page->slices; ++i) {
    const void* const slice = reinterpret_cast<const void*>(start + (i << kSliceShift));
    if (!report.expect(page_map::find(slice) == page, "the page map does not lead to the page", address_of(slice)))
      break;
  }
}

void check_ownership(const Page* page, CheckReport& report) {
  const uintptr_t start = page->start;
  const bool owned = (page->thread_free.load(kAcquire) & Page::kOwned) != 0;
  const bool has_owner = page->owner_id() != ThreadId::kNone;
  report.expect(owned == page->in_queue, "a page is owned and in no queue, or the other way round", start);
  report.expect(has_owner == page->in_queue, "a page has an owner's id and is in no queue, or the other way round",
                start);
  report.expect(!page->in_queue || page->heap.load(kRelaxed) != nullptr, "a page in a queue belongs to no heap", start);
  report.expect(page->retire_ticks == 0 || page->in_queue, "a retired page is in no queue", start);
  report.expect(!(page->is_abandoned && page->in_queue), "a page is in a queue and abandoned", start);
  report.expect(page->in_queue || page->used > 0, "a page without an owner is empty and still there", start);
  if (page->arena != nullptr && !page->is_huge()) {
    report.expect(page->arena->abandoned[page->bin.index()].get(page->first_slice()) == page->is_abandoned,
                  "a page's bit does not say whether it is abandoned", start);
  } else {
    report.expect(!page->is_abandoned, "a huge page is abandoned", start);
  }
}

// Blocks that were never handed out hold nothing but their link.
void check_zero(const Page* page, CheckReport& report) {
  constexpr size_t kWordsPerBlock = 8;
  const size_t words = page->block_size / 8 < kWordsPerBlock ? page->block_size / 8 : kWordsPerBlock;
  for (const Block* block = page->free; block != nullptr; block = next_of(block)) {
    const auto* const content = reinterpret_cast<const uint64_t*>(block);
    for (size_t i = 1; i < words; ++i) {
      if (!report.expect(content[i] == 0, "a block that counts as zero is not", address_of(block))) return;
    }
  }
}

// Blocks whose memory has gone back are in no list.
void check_purged(const Page* page, SeenBlocks& seen, CheckReport& report) {
  size_t count = 0;
  if (page->arena != nullptr && !page->is_huge()) {
    each_purged_block(page, [&](size_t index) {
      ++count;
      report.expect(seen.add(index), "a block is in a free list, and its memory has gone back",
                    page->start + index * page->block_size);
    });
  }
  report.expect(count == page->purged_blocks, "a page does not count the blocks whose memory has gone back",
                page->start);
}

}  // namespace

void check_page(const Page* page, CheckReport& report, Census& census) {
  check_shape(page, report);
  check_ownership(page, report);
  SeenBlocks seen;
  const size_t free_count = check_list(page, page->free, seen, report);
  const size_t local_count = check_list(page, page->local_free, seen, report);
  const auto* const remote = reinterpret_cast<const Block*>(page->thread_free.load(kAcquire) & ~Page::kOwned);
  const size_t remote_count = check_list(page, remote, seen, report);
  check_purged(page, seen, report);
  report.expect(free_count + local_count + page->purged_blocks + page->used == page->capacity,
                "a page's lists and its count of used blocks do not add up", page->start);
  report.expect(remote_count <= page->used, "other threads have freed more blocks of a page than are used",
                page->start);
  ++census.pages;
  if (page->is_huge()) {
    ++census.huge_pages;
    if (page->sample != Page::kNoSample) ++census.samples;
  }
  census.live_blocks += page->used - remote_count;
  census.live_bytes += (page->used - remote_count) * page->block_size;
  if (page->free_is_zero && report.clean()) check_zero(page, report);
}

}  // namespace xi
