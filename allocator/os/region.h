// The address space that the seam hands out: one fixed region, a sorted table of the ranges in use, first fit. Which
// slices are committed is kept here and not asked of the kernel, so that a tester can compare. Ranges are made of pages
// of the system, but no two share a slice, and what does not fill a slice is never accessible: an allocator that asked
// for slices has no business there. Test flavours only; the caller holds the seam's lock.
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

  // A free address for the range, `skew` bytes behind a multiple of `alignment` and of the slice size. The range is
  // entered; 0 when there is none.
  uintptr_t take(size_t size, size_t alignment, size_t skew, Purpose purpose);
  // The same above the region, and above all that can be touched.
  uintptr_t take_high(size_t size, Purpose purpose);
  // The range that holds all of [address, address + size), or null; release() takes that part out of it.
  const Range* covering(uintptr_t address, size_t size) const;
  void release(uintptr_t address, size_t size);

  // A range of the program: one that was taken for it, or one outside of the region, which is entered. 0, EINVAL when a
  // part of it is another's, ENOMEM.
  int adopt(uintptr_t address, size_t size);
  void disown(uintptr_t address, size_t size);
  int protect_outside(uintptr_t address, size_t size, bool access);

  // Returns by how many bytes the committed part has grown.
  int64_t set_committed(uintptr_t address, size_t size, bool committed);
  bool is_committed(uintptr_t address, size_t size) const;
  size_t committed_in(uintptr_t address, size_t size) const;

  size_t range_count() const { return count_; }
  const Range& range(size_t index) const { return ranges_[index]; }
  bool contains(uintptr_t address) const { return base_ != 0 && address - base_ < kSize; }
  // Known once the region is reserved, which this does if need be.
  bool is_fixed() { return reserve_once() && base_ == kFixedBase; }

  // Real access to the slices of a part of a range that is taken; 0 or an errno value. What is accessible is zero where
  // it was not accessible before. Opening what is open already costs no system call. discard() makes zeros of what was
  // used, and may keep it resident; close() gives all of it back to the system, and protects it.
  int open(uintptr_t address, size_t size);
  int protect(uintptr_t address, size_t size);
  int close(uintptr_t address, size_t size);
  int discard(uintptr_t address, size_t size);
  // Writes rubbish into what is open of it: all of a small part, both ends of a large one.
  void spoil(uintptr_t address, size_t size);

  // Notes that a part of a range may hold something other than zeros.
  void set_used(uintptr_t address, size_t size);

  // Back to empty: forgets all ranges, and zeroes what was used. A page fault costs as much as zeroing 40 pages that
  // are there, so that memory stays accessible and resident for the next program, unless it is much.
  void reset();
  // For the test of that: the first byte anywhere in the region that is not zero, or 0.
  uintptr_t first_dirty() const;

 private:
  static constexpr size_t kMaxRanges = 8192;
  static constexpr size_t kOsPage = 4096;
  static constexpr size_t kPagesPerSlice = kSliceSize / kOsPage;
  using Bits = uint64_t[kSize / kSliceSize / 64];

  static constexpr uintptr_t kHighBase = uintptr_t{1} << kAddressBits;

  bool reserve_once();
  void enter(size_t index, const Range& range);
  // The slices that lie wholly inside.
  struct Slices {
    size_t first;
    size_t end;
  };
  Slices slices_in(uintptr_t address, size_t size) const;
  int give_back(uintptr_t address, size_t size);
  int clean(uintptr_t address, size_t size);
  bool is_open(size_t first_page, size_t end_page) const;
  size_t os_page(uintptr_t address) const { return (address - base_) / kOsPage; }
  void fill_with_rubbish(uintptr_t address, size_t size);
  template <class Visit>
  void each_run(const Bits& bits, uintptr_t address, size_t size, Visit visit) const;
  size_t index_after(uintptr_t address) const;
  size_t slice_at(uintptr_t address) const { return (address - base_) / kSliceSize; }
  uintptr_t address_of_slice(size_t slice) const { return base_ + slice * kSliceSize; }

  uintptr_t base_ = 0;
  size_t count_ = 0;
  Range ranges_[kMaxRanges] = {};
  Bits committed_ = {};                       // as far as the allocator is concerned
  Bits open_ = {};                            // readable and writable in fact
  uint64_t used_[kSize / kOsPage / 64] = {};  // pages of the system that may not be zero
  bool hides_used_ = false;                   // some of them were protected since the reset, and never discarded
};

}  // namespace xi::os
