// Which blocks of a page are free, as a bitmap: the lists tell it in no order.
#pragma once

#include "allocator/page/page.h"
#include "allocator/page/page_purge.h"

namespace xi {

// One bit a block: it is free, and was linked at some time. Sized for the page with the most blocks.
class FreeBlocks {
 public:
  // Of a page that the caller owns. What other threads have freed counts as in use until it is collected.
  explicit FreeBlocks(const Page* page) {
    add_list(page, page->free);
    add_list(page, page->local_free);
    if (page->purged_blocks == 0) return;
    each_purged_block(page, [this](size_t index) { add(index); });
  }
  bool has(size_t index) const { return (words_[index / 64] >> (index % 64) & 1) != 0; }

 private:
  void add(size_t index) { words_[index / 64] |= uint64_t{1} << (index % 64); }
  void add_list(const Page* page, const Block* head) {
    for (const Block* block = head; block != nullptr; block = next_of(block)) {
      add((address_of(block) - page->start) / page->block_size);
    }
  }
  uint64_t words_[kSliceSize / 8 / 64] = {};
};

}  // namespace xi
