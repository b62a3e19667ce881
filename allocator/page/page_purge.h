// Giving back the memory of free blocks inside of a page that lives on, one page of the system at a time.
//
// What can go is a page of the system that only free blocks reach into. The link of a free block is in its first word:
// a block that begins in what goes leaves the lists before it goes, and is remembered by a bit outside of the blocks,
// one for all the blocks that begin there (Arena::purged_inside). refill() links them again, when the lists are empty,
// in memory that reads as zeros or as whatever a failed call has left; nobody takes it for zero. A block that begins
// elsewhere stays in its list, though its rest may go.
//
//   of a page:  blocks in `free` + in `local_free` + purged_blocks + used = capacity
//
// Discarded and not decommitted: to use the memory again takes no call that could fail, and the mapping stays one.
#pragma once

#include "allocator/os/memory.h"
#include "allocator/page/page.h"

namespace xi {

// Collects what can go, of several pages, for one call to the system.
class PagePurge {
 public:
  PagePurge() = default;
  ~PagePurge() { flush(); }
  PagePurge(const PagePurge&) = delete;
  PagePurge& operator=(const PagePurge&) = delete;

  // The caller owns the page, which has collected what others have freed, and goes on to own it until the next flush().
  void add(Page* page);
  // What the system refuses is in its page's lists again.
  void flush();

 private:
  struct Part {
    Page* page;
    size_t first;  // pages of the system, counted from the start of the page
    size_t count;
    bool is_tail;
  };
  void add_tail(Page* page);
  void add_part(const Part& part);

  Part parts_[os::kMaxRanges];
  size_t count_ = 0;
};

// Whether the blocks that begin in the page of the system are in no list. For the page's owner.
inline bool is_purged(const Page* page, size_t os_page) {
  const size_t slice = page->first_slice() + os_page / kOsPagesPerSlice;
  return (page->arena->purged_inside[slice] >> (os_page % kOsPagesPerSlice) & 1) != 0;
}

// The blocks that begin in a page of the system and were linked at some time: [first, end).
struct BlockRange {
  size_t first, end;
};
inline BlockRange blocks_from(const Page* page, size_t os_page) {
  const auto first_at = [page](size_t offset) {
    const size_t index = (offset + page->block_size - 1) / page->block_size;
    return index < page->capacity ? index : size_t{page->capacity};
  };
  return {first_at(os_page * kOsPageSize), first_at((os_page + 1) * kOsPageSize)};
}

// Calls visit(index) for each block that is in no list.
template <class Visit>
void each_purged_block(const Page* page, Visit visit) {
  for (size_t os_page = 0; os_page < page->slices * kOsPagesPerSlice; ++os_page) {
    if (!is_purged(page, os_page)) continue;
    const BlockRange blocks = blocks_from(page, os_page);
    for (size_t index = blocks.first; index < blocks.end; ++index) visit(index);
  }
}

// For the end of a page: the next one begins without purged blocks.
void forget_purged_blocks(Page* page);

}  // namespace xi
