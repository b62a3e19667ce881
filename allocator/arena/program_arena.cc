#include "allocator/arena/program_arena.h"

#include <cerrno>

#include "allocator/arena/arena_set.h"
#include "allocator/os/clock.h"
#include "allocator/os/memory.h"

namespace xi {

namespace {

constexpr size_t kHugePage = size_t{1} << os::kHugePageShift;
constexpr size_t kLargePage = size_t{1} << os::kLargePageShift;

// Address space within the limit of option arena_limit.
int begin_range(size_t size, size_t alignment, void** out) {
  if (!begin_mapping(size)) return ENOMEM;
  if (os::reserve(size, alignment, out) == 0) return 0;
  end_mapping(size);
  return ENOMEM;
}

// A part of it goes back.
void end_range(void* start, size_t size) {
  os::unmap(start, size);
  end_mapping(size);
}

// An arena over a range of begin_range(), which goes back when there is no memory for it.
int enter_or_end(const ArenaRange& range, Arena** out) {
  const int error = enter_arena(range, out);
  if (error != 0) end_range(reinterpret_cast<void*>(range.base), range.slices << kSliceShift);
  return error;
}

// The pages of 1 GiB that the system has, from `start` on, up to `pages`; `timed_out` says why there are fewer.
size_t commit_huge_pages(char* start, size_t pages, size_t timeout_ms, bool* timed_out) {
  const uint64_t began = os::clock_ms();
  for (size_t got = 0; got < pages; ++got) {
    *timed_out = timeout_ms != 0 && os::clock_ms() - began > timeout_ms;
    if (*timed_out || os::commit_huge(start + got * kHugePage, kHugePage, os::kHugePageShift) != 0) return got;
  }
  return pages;
}

}  // namespace

int reserve_arena(size_t size, const ArenaWish& wish, Arena** out) {
  if (size == 0) return EINVAL;
  if (size > kMaxRequest) return ENOMEM;
  size = align_up(size, wish.large ? kLargePage : kSliceSize);
  const size_t natural = size_t{1} << highest_bit(size);
  void* start = nullptr;
  if (const int error = begin_range(size, natural < kArenaAlignment ? natural : kArenaAlignment, &start)) return error;
  ArenaRange range = {.base = address_of(start),
                      .slices = size >> kSliceShift,
                      .exclusive = wish.exclusive,
                      .numa_node = wish.numa_node};
  range.pinned = wish.large && os::commit_huge(start, size, os::kLargePageShift) == 0;
  range.committed = range.pinned || wish.commit;
  if (range.committed && !range.pinned && os::commit(start, size) != 0) {
    end_range(start, size);
    return ENOMEM;
  }
  os::prefer_node(start, size, wish.numa_node);
  return enter_or_end(range, out);
}

int reserve_huge_arena(size_t pages, size_t timeout_ms, const ArenaWish& wish, Arena** out) {
  size_t size = 0;
  if (__builtin_mul_overflow(pages, kHugePage, &size) || size > kMaxRequest) return ENOMEM;
  void* start = nullptr;
  if (const int error = begin_range(size, kHugePage, &start)) return error;
  bool timed_out = false;
  const size_t got = commit_huge_pages(static_cast<char*>(start), pages, timeout_ms, &timed_out);
  if (got < pages) end_range(static_cast<char*>(start) + got * kHugePage, (pages - got) * kHugePage);
  if (got == 0) return timed_out ? ETIMEDOUT : ENOMEM;
  os::prefer_node(start, got * kHugePage, wish.numa_node);
  return enter_or_end({.base = address_of(start),
                       .slices = got * kHugePage >> kSliceShift,
                       .committed = true,
                       .pinned = true,
                       .exclusive = wish.exclusive,
                       .numa_node = wish.numa_node},
                      out);
}

int manage_arena(void* start, size_t size, ArenaRange promised, Arena** out) {
  const uintptr_t from = address_of(start);
  if (from == 0 || size > kMaxRequest || from > (uintptr_t{1} << kAddressBits)) return EINVAL;
  const uintptr_t first = align_up(from, kSliceSize);
  const uintptr_t end = align_down(from + size, kSliceSize);
  if (end <= first || end > uintptr_t{1} << kAddressBits) return EINVAL;
  promised.base = first;
  promised.slices = (end - first) >> kSliceShift;
  promised.managed = true;
  void* const range = reinterpret_cast<void*>(first);
  if (const int error = os::adopt(range, end - first)) return error;
  const int error = enter_arena(promised, out);
  if (error != 0) os::disown(range, end - first);
  return error;
}

bool is_arena(const Arena* arena) {
  for (size_t i = 0; const Arena* const known = arena_at(i); ++i) {
    if (known == arena) return true;
  }
  return false;
}

}  // namespace xi
