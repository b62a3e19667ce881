// Size classes ("bins"): 8, 16, then steps of 16 to 128, then 8 for each doubling to 512 KiB, so that at most 12.5 % is
// lost above 128 bytes. Every block size above 8 is a multiple of 16, and a size that is a multiple of a power of two
// falls into a bin whose blocks are multiples of it too: with pages that begin at a slice and blocks that begin where
// the page begins, an aligned request needs no more than its size rounded up to the alignment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"

namespace xi {

// An index of a bin. kHugeBin stands for pages of one block, of any size.
class Bin {
 public:
  constexpr explicit Bin(size_t index) : index_(static_cast<uint8_t>(index)) {}
  constexpr size_t index() const { return index_; }
  constexpr bool operator==(const Bin&) const = default;

  // The bin of a request of `size` <= kLargeBlockMax bytes.
  static constexpr Bin of_size(size_t size) {
    if (size <= 8) return Bin(0);
    if (size <= 128) return Bin((size + 15) / 16);
    const size_t last = size - 1;
    const size_t doubling = highest_bit(last);  // 2^doubling < size <= 2^(doubling + 1)
    return Bin(9 + (doubling - 7) * 8 + ((last >> (doubling - 3)) & 7));
  }

  constexpr size_t block_size() const {
    if (index_ == 0) return 8;
    if (index_ <= 8) return size_t{index_} * 16;
    const size_t doubling = (index_ - 9u) / 8 + 7;
    return (size_t{1} << doubling) + (((index_ - 9u) & 7) + 1) * (size_t{1} << (doubling - 3));
  }

  // The fewest slices that hold a block: a page has as many when there is no room for page_slices().
  constexpr size_t least_slices() const { return (block_size() + kSliceSize - 1) >> kSliceShift; }
  constexpr size_t page_slices() const {
    const size_t size = block_size();
    if (size <= kSmallBlockMax) return kSmallPageSlices;
    return size <= kMediumBlockMax ? kMediumPageSlices : kLargePageSlices;
  }

 private:
  uint8_t index_;
};

inline constexpr Bin kHugeBin{kBinCount};

// Bytes of the block that serves a plain request of `size` <= kMaxRequest.
constexpr size_t block_size_for(size_t size) {
  return size <= kLargeBlockMax ? Bin::of_size(size).block_size() : align_up(size, kSliceSize);
}

static_assert(Bin::of_size(kLargeBlockMax).index() + 1 == kBinCount);
static_assert(Bin(kBinCount - 1).block_size() == kLargeBlockMax);

}  // namespace xi
