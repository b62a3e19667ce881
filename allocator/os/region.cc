#if defined(XIMALLOC_TEST_SEAMS)

#include "allocator/os/region.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#endif
#include <unistd.h>
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"

namespace xi::os {

namespace {

// MemorySanitizer does not see raw system calls and assembly, and memcheck not what madvise does: what they have zeroed
// is initialised again.
void note_zeroed([[maybe_unused]] uintptr_t address, [[maybe_unused]] size_t size) {
#if __has_feature(memory_sanitizer)
  __msan_unpoison(reinterpret_cast<void*>(address), size);
#endif
#if defined(VALGRIND_MAKE_MEM_DEFINED)
  VALGRIND_MAKE_MEM_DEFINED(reinterpret_cast<void*>(address), size);
#endif
}

// A raw call: the sanitizers' own mmap would clear shadow memory for the whole region.
uintptr_t map_inaccessible(uintptr_t address, size_t size, int flags) {
  // The offset is a long: of an int, half of what the kernel gets would be whatever lies there.
  const long result =
      syscall(SYS_mmap, address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0L);
  return result == -1 ? 0 : static_cast<uintptr_t>(result);
}

// More used pages than this in a row are given back and not zeroed: a large block is seldom used in full.
constexpr size_t kMaxPagesZeroed = 192;

// Not by memset: the tester may have poisoned parts of the page for the address sanitizer.
void zero_page(uintptr_t address) {
  auto* destination = reinterpret_cast<void*>(address);
  size_t words = 4096 / 8;
  __asm__ volatile("rep stosq" : "+D"(destination), "+c"(words) : "a"(0) : "memory");
  note_zeroed(address, 4096);
}

void set_bits(uint64_t* words, size_t first, size_t count, bool value) {
  while (count > 0) {
    const size_t here = count < 64 - first % 64 ? count : 64 - first % 64;
    const uint64_t mask = bit_mask(first % 64, here);
    value ? words[first / 64] |= mask : words[first / 64] &= ~mask;
    first += here;
    count -= here;
  }
}

// The first bit in [from, end) with the value; `end` when there is none.
size_t next_bit(const uint64_t* words, size_t from, size_t end, bool value) {
  while (from < end) {
    const uint64_t word = (value ? words[from / 64] : ~words[from / 64]) >> (from % 64);
    if (word != 0) {
      const size_t found = from + lowest_bit(word);
      return found < end ? found : end;
    }
    from = align_down(from, 64) + 64;
  }
  return end;
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

void Region::enter(size_t index, const Range& range) {
  // No memmove, here and below: a race detector's own sees what SeamGuard hides.
  for (size_t i = count_; i > index; --i) ranges_[i] = ranges_[i - 1];
  ranges_[index] = range;
  ++count_;
}

uintptr_t Region::take(size_t size, size_t alignment, size_t skew, Purpose purpose) {
  if (size > kSize || alignment > kSize || count_ == kMaxRanges || !reserve_once()) return 0;
  const size_t step = alignment < kSliceSize ? kSliceSize : alignment;
  uintptr_t candidate = align_up(base_, step);
  size_t index = 0;
  for (; index < count_ && candidate + skew + size > align_down(ranges_[index].start, kSliceSize); ++index) {
    const uintptr_t past = ranges_[index].start + ranges_[index].size;
    if (past > candidate && contains(ranges_[index].start)) candidate = align_up(past, step);
  }
  if (candidate + skew + size > base_ + kSize) return 0;
  enter(index, {candidate + skew, size, purpose});
  return candidate + skew;
}

uintptr_t Region::take_high(size_t size, Purpose purpose) {
  if (size > kSize || count_ == kMaxRanges || !reserve_once()) return 0;
  const Range* const last = count_ > 0 ? &ranges_[count_ - 1] : nullptr;
  const uintptr_t past = last != nullptr ? align_up(last->start + last->size, kSliceSize) : 0;
  const uintptr_t start = past > kHighBase ? past : kHighBase;
  enter(count_, {start, size, purpose});
  return start;
}

const Region::Range* Region::covering(uintptr_t address, size_t size) const {
  const size_t index = index_after(address);
  if (index == 0 || size == 0) return nullptr;
  const Range& range = ranges_[index - 1];
  return size <= range.size && address - range.start <= range.size - size ? &range : nullptr;
}

void Region::release(uintptr_t address, size_t size) {
  const size_t index = index_after(address) - 1;
  XI_ASSERT(covering(address, size) == &ranges_[index]);
  Range& range = ranges_[index];
  const Range tail = {address + size, range.start + range.size - (address + size), range.purpose};
  range.size = address - range.start;
  if (range.size == 0) {
    if (tail.size > 0) {
      range = tail;
      return;
    }
    --count_;
    for (size_t i = index; i < count_; ++i) ranges_[i] = ranges_[i + 1];
  } else if (tail.size > 0) {
    XI_ASSERT(count_ < kMaxRanges);
    enter(index + 1, tail);
  }
}

int Region::adopt(uintptr_t address, size_t size) {
  const Range* const taken = contains(address) ? covering(address, size) : nullptr;
  if (taken != nullptr) return taken->purpose == Purpose::kProgram ? 0 : EINVAL;
  const size_t index = index_after(address);
  const bool meets_next = index < count_ && ranges_[index].start - address < size;
  const bool meets_last = index > 0 && address - ranges_[index - 1].start < ranges_[index - 1].size;
  if (meets_next || meets_last || contains(address) || contains(address + size - 1)) return EINVAL;
  if (count_ == kMaxRanges) return ENOMEM;
  enter(index, {address, size, Purpose::kProgram});
  return 0;
}

void Region::disown(uintptr_t address, size_t size) {
  if (!contains(address)) release(address, size);
}

int Region::protect_outside(uintptr_t address, size_t size, bool access) {
  return syscall(SYS_mprotect, address, size, access ? PROT_READ | PROT_WRITE : PROT_NONE) == 0 ? 0 : errno;
}

Region::Slices Region::slices_in(uintptr_t address, size_t size) const {
  const size_t first = slice_at(align_up(address, kSliceSize));
  const size_t end = slice_at(align_down(address + size, kSliceSize));
  return {first, end > first ? end : first};
}

int64_t Region::set_committed(uintptr_t address, size_t size, bool committed) {
  const Slices slices = slices_in(address, size);
  const size_t before = committed_in(address, size);
  set_bits(committed_, slices.first, slices.end - slices.first, committed);
  const size_t after = committed ? (slices.end - slices.first) * kSliceSize : 0;
  return static_cast<int64_t>(after) - static_cast<int64_t>(before);
}

bool Region::is_committed(uintptr_t address, size_t size) const {
  // Of memory of the program elsewhere nothing more is known than whose it is.
  if (const Range* const range = covering(address, size); range != nullptr && !contains(address))
    return range->purpose == Purpose::kProgram;
  if (!contains(address) || size > kSize - (address - base_)) return false;
  const uintptr_t first = align_down(address, kSliceSize);
  const size_t whole = align_up(address + size, kSliceSize) - first;
  return committed_in(first, whole) == whole;
}

size_t Region::committed_in(uintptr_t address, size_t size) const {
  size_t total = 0;
  each_run(committed_, address, size, [&total](uintptr_t, size_t run) { total += run; });
  return total;
}

// Calls visit(address, size) for each run of slices in the range whose bit is set.
template <class Visit>
void Region::each_run(const Bits& bits, uintptr_t address, size_t size, Visit visit) const {
  const Slices slices = slices_in(address, size);
  for (size_t at = next_bit(bits, slices.first, slices.end, true); at < slices.end;) {
    const size_t stop = next_bit(bits, at, slices.end, false);
    visit(address_of_slice(at), (stop - at) * kSliceSize);
    at = next_bit(bits, stop, slices.end, true);
  }
}

int Region::open(uintptr_t address, size_t size) {
  const Slices slices = slices_in(address, size);
  if (next_bit(open_, slices.first, slices.end, false) == slices.end) return 0;
  const size_t bytes = (slices.end - slices.first) * kSliceSize;
  if (syscall(SYS_mprotect, address_of_slice(slices.first), bytes, PROT_READ | PROT_WRITE) != 0) return errno;
  set_bits(open_, slices.first, slices.end - slices.first, true);
  return 0;
}

int Region::protect(uintptr_t address, size_t size) {
  const Slices slices = slices_in(address, size);
  if (slices.first == slices.end) return 0;
  const size_t end = os_page(address_of_slice(slices.end));
  if (next_bit(used_, os_page(address_of_slice(slices.first)), end, true) != end) hides_used_ = true;
  const size_t bytes = (slices.end - slices.first) * kSliceSize;
  if (syscall(SYS_mprotect, address_of_slice(slices.first), bytes, PROT_NONE) != 0) return errno;
  set_bits(open_, slices.first, slices.end - slices.first, false);
  return 0;
}

int Region::give_back(uintptr_t address, size_t size) {
  if (syscall(SYS_madvise, address, size, MADV_DONTNEED) != 0) return errno;
  note_zeroed(address, size);
  set_bits(used_, os_page(address), size / kOsPage, false);
  return 0;
}

int Region::discard(uintptr_t address, size_t size) {
  // Of the program's memory elsewhere nothing is noted here.
  if (!contains(address)) return syscall(SYS_madvise, address, size, MADV_DONTNEED) == 0 ? 0 : errno;
  const size_t end = os_page(address) + size / kOsPage;
  // Tests of the lower layers announce nothing.
  if (next_bit(used_, os_page(address), end, true) == end) return give_back(address, size);
  return clean(address, size);
}

// Zeroes the used parts of a range.
int Region::clean(uintptr_t address, size_t size) {
  const size_t end = os_page(address) + size / kOsPage;
  for (size_t first = next_bit(used_, os_page(address), end, true); first < end;) {
    const size_t stop = next_bit(used_, first, end, false);
    if (stop - first > kMaxPagesZeroed || !is_open(first, stop)) {
      if (const int error = give_back(base_ + first * kOsPage, (stop - first) * kOsPage)) return error;
    } else {
      for (size_t page = first; page < stop; ++page) zero_page(base_ + page * kOsPage);
      set_bits(used_, first, stop - first, false);
    }
    first = next_bit(used_, stop, end, true);
  }
  return 0;
}

int Region::close(uintptr_t address, size_t size) {
  const int error = give_back(address, size);
  return error == 0 ? protect(address, size) : error;
}

void Region::spoil(uintptr_t address, size_t size) {
  const uintptr_t end = address + size;
  const uintptr_t first_slice = align_up(address, kSliceSize);
  const uintptr_t head_end = first_slice < end ? first_slice : end;
  fill_with_rubbish(address, head_end - address);
  each_run(open_, address, size, [this](uintptr_t run, size_t bytes) {
    fill_with_rubbish(run, kSliceSize);
    fill_with_rubbish(run + bytes - kSliceSize, kSliceSize);
  });
  const uintptr_t last_slice = align_down(end, kSliceSize);
  const uintptr_t tail = last_slice > head_end ? last_slice : head_end;
  fill_with_rubbish(tail, end - tail);
}

// A part of one slice.
void Region::fill_with_rubbish(uintptr_t address, size_t size) {
  if (size == 0 || !is_open(os_page(address), os_page(address + size))) return;
  set_used(address, size);
  auto* destination = reinterpret_cast<void*>(address);
  __asm__ volatile("rep stosb" : "+D"(destination), "+c"(size) : "a"(0xDB) : "memory");
}

void Region::set_used(uintptr_t address, size_t size) {
  const size_t first = os_page(address);
  set_bits(used_, first, os_page(address + size - 1) + 1 - first, true);
}

bool Region::is_open(size_t first_page, size_t end_page) const {
  const Slices slices = {first_page / kPagesPerSlice, (end_page + kPagesPerSlice - 1) / kPagesPerSlice};
  return next_bit(open_, slices.first, slices.end, false) == slices.end;
}

void Region::reset() {
  for (size_t i = 0; i < count_; ++i) {
    const Range& range = ranges_[i];
    if (!contains(range.start)) continue;
    if (hides_used_) {
      clean(range.start, range.size);
    } else {
      each_run(committed_, range.start, range.size, [this](uintptr_t address, size_t size) { clean(address, size); });
    }
    set_committed(range.start, range.size, false);
  }
  count_ = 0;
  hides_used_ = false;
}

uintptr_t Region::first_dirty() const {
  if (base_ == 0) return 0;
  uintptr_t found = 0;
  each_run(open_, base_, kSize, [&found](uintptr_t address, size_t size) {
    for (; size > 0 && found == 0; address += sizeof(uint64_t), size -= sizeof(uint64_t)) {
      if (*reinterpret_cast<const uint64_t*>(address) != 0) found = address;
    }
  });
  return found;
}

}  // namespace xi::os

#endif
