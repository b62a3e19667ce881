#include "allocator/os/memory.h"

#include <sys/auxv.h>

#include <cerrno>

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/os/calls.h"
#include "allocator/os/errno_keeper.h"
#include "allocator/os/unmap_later.h"

namespace xi::os {

namespace {

bool is_usable(const void* address, size_t size) {
  return address_of(address) + size <= size_t{1} << kAddressBits;
}

// A mapping that nobody has seen goes back, at once or later.
void give_back(void* address, size_t size, CallSite site = CallSite::here()) {
  if (call_munmap(address, size, site) != 0) unmap_later(address, size);
}

// mmap aligns to its own page size only: when nothing else helps, map more and cut off both ends.
int map_padded(size_t size, size_t alignment, Protection access, Purpose purpose, void** out) {
  size_t padded = 0;
  if (__builtin_add_overflow(size, alignment, &padded)) return ENOMEM;
  void* start = nullptr;
  if (const int error = call_mmap(nullptr, padded, 1, access, purpose, &start)) return error;
  if (!is_usable(start, padded)) {
    give_back(start, padded);
    return ENOMEM;
  }
  char* const first = static_cast<char*>(start);
  const size_t head = align_up(address_of(first), alignment) - address_of(first);
  const size_t tail = padded - head - size;
  if (head > 0) give_back(first, head);
  if (tail > 0) give_back(first + head + size, tail);
  *out = first + head;
  return 0;
}

bool is_right(const void* start, size_t size, size_t alignment) {
  return is_aligned(address_of(start), alignment) && is_usable(start, size);
}

// Takes no more address space than it gives, unless it must: a process may not have twice the size of an arena.
int map_aligned(size_t size, size_t alignment, Protection access, Purpose purpose, void** out) {
  ErrnoKeeper keeper;
  if (!room_to_unmap_later()) return ENOMEM;
  void* start = nullptr;
  if (const int error = call_mmap(nullptr, size, alignment, access, purpose, &start)) return error;
  bool right = is_right(start, size, alignment);
  if (!right) give_back(start, size);
  if (!right && is_usable(start, size)) {
    // There is room at the end of what was just given back, and mostly below it, where the kernel goes on.
    void* const near = reinterpret_cast<void*>(align_down(address_of(start), alignment));
    if (call_mmap(near, size, alignment, access, purpose, &start) == 0) {
      right = is_right(start, size, alignment);
      if (!right) give_back(start, size);
    }
  }
  if (!right) return map_padded(size, alignment, access, purpose, out);
  *out = start;
  return 0;
}

}  // namespace

int reserve(size_t size, size_t alignment, void** out) {
  return map_aligned(size, alignment, Protection::kNone, Purpose::kBlocks, out);
}

int map(size_t size, size_t alignment, Purpose purpose, void** out) {
  return map_aligned(size, alignment, Protection::kReadWrite, purpose, out);
}

int unmap(void* address, size_t size) {
  ErrnoKeeper keeper;
  retry_one_unmap();
  const int error = call_munmap(address, size);
  if (error == 0) return 0;
  call_madvise(address, size);
  return unmap_later(address, size) ? 0 : error;
}

int commit(void* address, size_t size) {
  ErrnoKeeper keeper;
  return call_mprotect(address, size, Protection::kReadWrite);
}

int commit_huge(void* address, size_t size, unsigned page_shift) {
  ErrnoKeeper keeper;
  return call_mmap_huge(address, size, page_shift);
}

void prefer_node(void* address, size_t size, int node) {
  ErrnoKeeper keeper;
  if (node >= 0 && node < 64) call_mbind(address, size, uint64_t{1} << node);
}

int decommit(void* address, size_t size) {
  ErrnoKeeper keeper;
  if (const int error = call_madvise(address, size)) return error;
  return call_mprotect(address, size, Protection::kNone);
}

int discard(void* address, size_t size) {
  ErrnoKeeper keeper;
  return call_madvise(address, size);
}

size_t discard_each(const Range* ranges, size_t count) {
  XI_ASSERT(count > 0 && count <= kMaxRanges);
  ErrnoKeeper keeper;
  // One range is one call either way. The batch may stop in the middle, or not be known to the kernel at all.
  size_t done = count > 1 ? call_process_madvise(ranges, count) : 0;
  while (done < count && call_madvise(reinterpret_cast<void*>(ranges[done].start), ranges[done].size) == 0) ++done;
  return done;
}

bool can_discard_os_pages() {
  return getauxval(AT_PAGESZ) == kOsPageSize;
}

}  // namespace xi::os
