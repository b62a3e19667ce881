// The address space that the seam hands out: one fixed region, a sorted table of the ranges in use, first fit. Which
// granules are committed is kept here and not asked of the kernel, so that a tester can compare. Test flavours only; the
// caller holds the seam's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/config.h"
#include "allocator/os/memory.h"

namespace xi::os {

class Region {
 public:
  // Inside the application ranges of ASan, TSan and MSan, and away from where position-independent executables go.
  static constexpr uintptr_t kFixedBase = 0x5800'0000'0000;
  static constexpr size_t kSize = size_t{2} << 40;

  struct Range {
    uintptr_t start;
    size_t size;
    Purpose purpose;
  };

  // A free address for the range, which is entered; 0 when there is none.
  uintptr_t take(size_t size, size_t alignment, Purpose purpose);
  // The range that begins at `address`, or null; release() takes it out.
  const Range* find(uintptr_t address) const;
  void release(uintptr_t address);

  void set_committed(uintptr_t address, size_t size, bool committed);
  bool is_committed(uintptr_t address, size_t size) const;
  size_t committed_in(uintptr_t address, size_t size) const;

  size_t range_count() const { return count_; }
  const Range& range(size_t index) const { return ranges_[index]; }
  bool contains(uintptr_t address) const { return base_ != 0 && address - base_ < kSize; }
  bool is_fixed() const { return base_ == kFixedBase; }

  // Back to empty: forgets all ranges, and returns their memory in one step. The region itself stays reserved.
  void reset();

 private:
  static constexpr size_t kMaxRanges = 8192;
  static constexpr size_t kWords = kSize / kSliceSize / 64;

  bool reserve_once();
  size_t index_after(uintptr_t address) const;
  size_t granule(uintptr_t address) const { return (address - base_) / kSliceSize; }

  uintptr_t base_ = 0;
  size_t count_ = 0;
  Range ranges_[kMaxRanges] = {};
  uint64_t committed_[kWords] = {};
};

}  // namespace xi::os
