#include "allocator/page/page_purge.h"

#include "allocator/base/assert.h"
#include "allocator/page/free_blocks.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

constexpr size_t kMaxOsPages = kLargePageSlices * kOsPagesPerSlice;

// A set of pages of the system inside of one page.
class OsPages {
 public:
  bool has(size_t os_page) const { return (words_[os_page / 64] >> (os_page % 64) & 1) != 0; }
  void add(size_t first, size_t last) {
    for (size_t at = first; at <= last; ++at) words_[at / 64] |= uint64_t{1} << (at % 64);
  }

 private:
  uint64_t words_[kMaxOsPages / 64] = {};
};

size_t os_pages_of(const Page* page) {
  return page->slices * kOsPagesPerSlice;
}

void mark_purged(Page* page, size_t os_page, bool purged) {
  uint16_t& mask = page->arena->purged_inside[page->first_slice() + os_page / kOsPagesPerSlice];
  const auto bit = static_cast<uint16_t>(1u << (os_page % kOsPagesPerSlice));
  if (purged) os::will_use(address_of(&mask), sizeof mask);
  mask = static_cast<uint16_t>(purged ? mask | bit : mask & ~bit);
}

// What a block reaches into that is in use, or was never linked.
void add_busy(const Page* page, OsPages& busy) {
  const size_t size = page->block_size;
  const auto add = [&](size_t first, size_t end) {
    busy.add(first * size / kOsPageSize, (end * size - 1) / kOsPageSize);
  };
  if (page->capacity < page->reserved) add(page->capacity, page->reserved);
  const FreeBlocks free(page);
  for (size_t index = 0; index < page->capacity; ++index) {
    if (!free.has(index)) add(index, index + 1);
  }
}

// Whether nothing there was written since it went: no block that reaches into it is in a list, or was since then.
bool is_gone(const Page* page, size_t os_page) {
  if (!is_purged(page, os_page)) return false;
  const size_t first = os_page * kOsPageSize / page->block_size;
  return first >= page->reserved || is_purged(page, first * page->block_size / kOsPageSize);
}

// Takes the blocks out of a list that begin in memory which has gone or is about to go.
Block* without_purged(Page* page, Block* head) {
  Block* first = nullptr;
  Block* last = nullptr;
  for (Block* block = head; block != nullptr;) {
    Block* const next = next_of(block);
    if (is_purged(page, (address_of(block) - page->start) / kOsPageSize)) {
      ++page->purged_blocks;
    } else {
      if (last == nullptr) {
        first = block;
      } else if (next_of(last) != block) {
        set_next(last, block);
      }
      last = block;
    }
    block = next;
  }
  if (last != nullptr && next_of(last) != nullptr) set_next(last, nullptr);
  return first;
}

// The blocks that begin there go into `local_free`. Their last one may reach over pages in which none begins.
void link_blocks_from(Page* page, size_t os_page) {
  const BlockRange blocks = blocks_from(page, os_page);
  for (size_t index = blocks.end; index > blocks.first; --index) {
    const uintptr_t block = page->start + (index - 1) * page->block_size;
    page->push_local(reinterpret_cast<void*>(block));
  }
  page->purged_blocks = static_cast<uint16_t>(page->purged_blocks - (blocks.end - blocks.first));
  mark_purged(page, os_page, false);
}

}  // namespace

void PagePurge::add(Page* page) {
  XI_ASSERT(page->arena != nullptr && !page->is_huge() && page->block_size != 0);
  if (page->arena->pinned || !os::can_discard_os_pages()) return;
  page->used_at_purge = static_cast<uint16_t>(page->used);
  add_tail(page);
  const size_t in_lists = page->capacity - page->used - page->purged_blocks;
  if (in_lists * page->block_size < kOsPageSize) return;
  OsPages busy;
  add_busy(page, busy);
  // All is found before anything changes, since is_gone() looks at the bits.
  OsPages going;
  const size_t end = os_pages_of(page);
  for (size_t at = 0; at < end; ++at) {
    if (!busy.has(at) && !is_gone(page, at)) going.add(at, at);
  }
  for (size_t at = 0; at < end; ++at) {
    if (going.has(at)) mark_purged(page, at, true);
  }
  page->free = without_purged(page, page->free);
  page->local_free = without_purged(page, page->local_free);
  for (size_t at = 0; at < end; ++at) {
    if (!going.has(at)) continue;
    size_t stop = at + 1;
    while (stop < end && going.has(stop)) ++stop;
    add_part({page, at, stop - at, false});
    at = stop;
  }
}

// Blocks that were never linked: what an earlier page has left there, if anything, is known to nobody.
void PagePurge::add_tail(Page* page) {
  if (page->memory_is_zero || page->tail_purged || page->capacity == page->reserved) return;
  const size_t first = align_up(page->capacity * page->block_size, kOsPageSize) / kOsPageSize;
  const size_t end = os_pages_of(page);
  if (first < end) add_part({page, first, end - first, true});
}

void PagePurge::add_part(const Part& part) {
  if (count_ == os::kMaxRanges) flush();
  parts_[count_++] = part;
}

void PagePurge::flush() {
  if (count_ == 0) return;
  os::Range ranges[os::kMaxRanges];
  for (size_t i = 0; i < count_; ++i) {
    ranges[i] = {parts_[i].page->start + parts_[i].first * kOsPageSize, parts_[i].count * kOsPageSize};
  }
  const size_t gone = os::discard_each(ranges, count_);
  for (size_t i = 0; i < count_; ++i) {
    const Part& part = parts_[i];
    if (i < gone) {
      statistics.purged_bytes.add(static_cast<int64_t>(ranges[i].size));
      statistics.purged_inside_bytes.add(static_cast<int64_t>(ranges[i].size));
      if (part.is_tail) {
        part.page->tail_purged = true;
      } else {
        // Blocks that begin elsewhere and reach into it are used again without a word.
        os::will_use(ranges[i].start, ranges[i].size);
      }
      continue;
    }
    // Refused, or not tried: it may hold anything, also the rest of blocks that begin before it, and is tried again.
    part.page->used_at_purge = Page::kNotPurged;
    part.page->free_is_zero = false;
    for (size_t at = part.first; !part.is_tail && at < part.first + part.count; ++at) link_blocks_from(part.page, at);
  }
  count_ = 0;
}

void Page::link_purged_blocks() {
  XI_ASSERT(purged_blocks > 0);
  size_t at = 0;
  while (!is_purged(this, at) || blocks_from(this, at).first == blocks_from(this, at).end) ++at;
  link_blocks_from(this, at);
}

void forget_purged_blocks(Page* page) {
  if (page->arena == nullptr || page->is_huge()) return;
  uint16_t* const masks = page->arena->purged_inside + page->first_slice();
  for (size_t i = 0; i < page->slices; ++i) {
    if (masks[i] != 0) masks[i] = 0;
  }
}

}  // namespace xi
