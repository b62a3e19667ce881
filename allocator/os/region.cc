#if defined(XIMALLOC_TEST_SEAMS)

#include "allocator/os/region.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"

namespace xi::os {

namespace {

// A raw call: the sanitizers' own mmap would clear shadow memory for the whole region.
uintptr_t map_inaccessible(uintptr_t address, size_t size, int flags) {
  const long result = syscall(SYS_mmap, address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  return result == -1 ? 0 : static_cast<uintptr_t>(result);
}

}  // namespace

bool Region::reserve_once() {
  if (base_ != 0) return true;
  base_ = map_inaccessible(kFixedBase, kSize, MAP_FIXED_NOREPLACE);
  if (base_ == 0) {
    const uintptr_t anywhere = map_inaccessible(0, kSize + kSliceSize, 0);
    base_ = align_up(anywhere, kSliceSize);
  }
  return base_ != 0;
}

size_t Region::index_after(uintptr_t address) const {
  size_t low = 0, high = count_;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ranges_[middle].start <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uintptr_t Region::take(size_t size, size_t alignment, Purpose purpose) {
  if (size > kSize || alignment > kSize || count_ == kMaxRanges || !reserve_once()) return 0;
  uintptr_t candidate = align_up(base_, alignment);
  size_t index = 0;
  for (; index < count_ && candidate + size > ranges_[index].start; ++index) {
    const uintptr_t past = ranges_[index].start + ranges_[index].size;
    if (past > candidate) candidate = align_up(past, alignment);
  }
  if (candidate + size > base_ + kSize) return 0;
  memmove(&ranges_[index + 1], &ranges_[index], (count_ - index) * sizeof(Range));
  ranges_[index] = {candidate, size, purpose};
  ++count_;
  return candidate;
}

const Region::Range* Region::find(uintptr_t address) const {
  const size_t index = index_after(address);
  return index > 0 && ranges_[index - 1].start == address ? &ranges_[index - 1] : nullptr;
}

void Region::release(uintptr_t address) {
  const size_t index = index_after(address) - 1;
  XI_ASSERT(index < count_ && ranges_[index].start == address);
  set_committed(address, ranges_[index].size, false);
  memmove(&ranges_[index], &ranges_[index + 1], (count_ - index - 1) * sizeof(Range));
  --count_;
}

void Region::set_committed(uintptr_t address, size_t size, bool committed) {
  size_t bit = granule(address);
  for (size_t left = size / kSliceSize; left > 0;) {
    const size_t here = left < 64 - bit % 64 ? left : 64 - bit % 64;
    const uint64_t mask = bit_mask(bit % 64, here);
    committed ? committed_[bit / 64] |= mask : committed_[bit / 64] &= ~mask;
    bit += here;
    left -= here;
  }
}

bool Region::is_committed(uintptr_t address, size_t size) const {
  if (!contains(address) || size > kSize - (address - base_)) return false;
  const uintptr_t first = align_down(address, kSliceSize);
  const size_t whole = align_up(address + size, kSliceSize) - first;
  return committed_in(first, whole) == whole;
}

size_t Region::committed_in(uintptr_t address, size_t size) const {
  size_t total = 0;
  size_t bit = granule(address);
  for (size_t left = size / kSliceSize; left > 0;) {
    const size_t here = left < 64 - bit % 64 ? left : 64 - bit % 64;
    total += count_bits(committed_[bit / 64] & bit_mask(bit % 64, here));
    bit += here;
    left -= here;
  }
  return total * kSliceSize;
}

void Region::reset() {
  if (count_ == 0) return;
  for (size_t i = 0; i < count_; ++i) set_committed(ranges_[i].start, ranges_[i].size, false);
  const uintptr_t first = ranges_[0].start;
  const size_t size = ranges_[count_ - 1].start + ranges_[count_ - 1].size - first;
  map_inaccessible(first, size, MAP_FIXED);
  count_ = 0;
}

}  // namespace xi::os

#endif
