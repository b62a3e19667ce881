#include "allocator/arena/arena_set.h"

#include <cerrno>

#include "allocator/base/assert.h"
#include "allocator/base/lock.h"
#include "allocator/os/clock.h"
#include "allocator/os/unmap_later.h"
#include "allocator/support/options.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

struct ArenaSet {
  Lock lock;  // held while an arena is made
  Atomic<size_t> count;
  size_t of_program = 0;  // those of enter_arena(); under the lock
  Atomic<size_t> mapped;
  Atomic<Arena*> arenas[kMaxArenas];
};
constinit ArenaSet set;

// Later arenas are larger, so that their number stays small whatever the program needs.
size_t standard_slices(size_t index) {
  const auto first = static_cast<size_t>(options.arena_reserve) >> kSliceShift;
  const size_t doublings = index / 8 < 6 ? index / 8 : 6;
  return first << doublings;
}

// Of the arenas that were asked of the system.
size_t fewest_slices() {
  size_t fewest = SIZE_MAX;
  for (size_t i = 0, count = set.count.load(kRelaxed); i < count; ++i) {
    const Arena* const arena = set.arenas[i].load(kRelaxed);
    if (!arena->managed && arena->slice_count < fewest) fewest = arena->slice_count;
  }
  return fewest;
}

// What to try when an arena of `slices` slices could not be had. Of what the system has left not all is for blocks:
// threads need stacks. A quarter leaves room, but where that would not hold `count` slices half has to do. Each arena
// takes half of what the one before it took, down to 4 MiB: the second of 16 MiB would leave no more than the first
// did.
size_t fewer_slices(size_t slices, size_t count) {
  constexpr size_t kLeast = (size_t{4} << 20) >> kSliceShift;
  const size_t half = fewest_slices() / 2;
  const size_t part = slices / 4 >= count ? slices / 4 : slices / 2;
  return half >= count && half >= kLeast && half < part ? half : part;
}

// Everyone may use the arena from here on. The caller holds the lock, and has told the page map.
void publish(Arena* arena) {
  const size_t index = set.count.load(kRelaxed);
  set.arenas[index].store(arena, kRelease);
  set.count.store(index + 1, kRelease);
  statistics.arenas.add(1);
}

// Makes an arena that can hold `count` slices at `alignment`. The caller holds the lock.
Arena* add_arena(size_t count, size_t alignment) {
  if (set.count.load(kRelaxed) == kMaxArenas) return nullptr;
  for (size_t slices = standard_slices(set.count.load(kRelaxed) - set.of_program); slices >= count;
       slices = fewer_slices(slices, count)) {
    // An arena smaller than its alignment is aligned to its own size only.
    const size_t natural = size_t{1} << highest_bit(slices << kSliceShift);
    const size_t base_alignment = natural < kArenaAlignment ? natural : kArenaAlignment;
    const size_t needed = alignment <= base_alignment ? count : count + (alignment >> kSliceShift);
    if (slices < needed) break;
    const size_t size = slices << kSliceShift;
    if (begin_mapping(size)) {
      Arena* const arena = create_arena(slices, base_alignment);
      if (arena != nullptr && arena_created(arena->base, size)) {
        publish(arena);
        statistics.reserved_bytes.add(static_cast<int64_t>(size));
        return arena;
      }
      if (arena != nullptr) destroy_arena(arena);
      end_mapping(size);
    }
  }
  return nullptr;
}

// Tries every arena there is. 0, ENOSPC, or the error of a commit.
int claim_from_any(size_t count, size_t alignment, SliceClaim* out) {
  int result = ENOSPC;
  const size_t arenas = set.count.load(kAcquire);
  for (size_t i = 0; i < arenas; ++i) {
    Arena* const arena = set.arenas[i].load(kAcquire);
    if (arena->exclusive) continue;
    const int error = arena->claim(count, alignment, out);
    if (error != ENOSPC) result = error;
    if (error == 0) break;
  }
  return result;
}

int claim_or_grow(size_t count, size_t alignment, SliceClaim* out) {
  const size_t seen = set.count.load(kAcquire);
  int error = claim_from_any(count, alignment, out);
  if (error != ENOSPC) return error;
  LockGuard guard(set.lock);
  if (set.count.load(kRelaxed) != seen) {
    // Another thread has made one while we looked.
    error = claim_from_any(count, alignment, out);
    if (error != ENOSPC) return error;
  }
  Arena* const arena = add_arena(count, alignment);
  if (arena == nullptr) return ENOMEM;
  error = arena->claim(count, alignment, out);
  return error == ENOSPC ? claim_from_any(count, alignment, out) : error;
}

}  // namespace

int claim_slices(size_t count, size_t alignment, SliceClaim* out) {
  XI_ASSERT(is_power_of_two(alignment) && alignment >= kSliceSize && alignment <= kArenaAlignment);
  purge_arenas(false);
  if (claim_or_grow(count, alignment, out) == 0) return 0;
  // Free memory that still waits for its purge may be what the system lacks.
  purge_arenas(true);
  return claim_or_grow(count, alignment, out) == 0 ? 0 : ENOMEM;
}

int claim_slices_in(Arena* arena, size_t count, size_t alignment, SliceClaim* out) {
  purge_arenas(false);
  int error = arena->claim(count, alignment, out);
  if (error != 0 && error != ENOSPC) {
    purge_arenas(true);
    error = arena->claim(count, alignment, out);
  }
  return error == 0 ? 0 : ENOMEM;
}

void release_slices(const SliceClaim& claim) {
  const uint64_t now = os::clock_ms();
  claim.arena->release(claim.first, claim.count, now);
  purge_arenas(false);
}

size_t max_claim_slices() {
  return (static_cast<size_t>(options.arena_reserve) >> kSliceShift) / 2;
}

void purge_arenas(bool force) {
  if (force) os::retry_unmaps();
  const size_t arenas = set.count.load(kAcquire);
  uint64_t now = 0;
  for (size_t i = 0; i < arenas; ++i) {
    Arena* const arena = set.arenas[i].load(kAcquire);
    if (arena->purge_at.load(kRelaxed) == 0) continue;
    if (now == 0) now = os::clock_ms();
    arena->purge_expired(now, force);
  }
}

int enter_arena(const ArenaRange& range, Arena** out) {
  const size_t size = range.slices << kSliceShift;
  LockGuard guard(set.lock);
  for (size_t i = 0; const Arena* const other = arena_at(i); ++i) {
    const size_t other_size = other->slice_count << kSliceShift;
    if (range.base < other->base + other_size && other->base < range.base + size) return EINVAL;
  }
  if (set.of_program == kMaxProgramArenas || set.count.load(kRelaxed) == kMaxArenas) return ENOMEM;
  Arena* const arena = make_arena(range);
  if (arena == nullptr) return ENOMEM;
  if (!arena_created(range.base, size)) {
    forget_arena(arena);
    return ENOMEM;
  }
  if (range.committed) statistics.committed_bytes.add(static_cast<int64_t>(size));
  if (!range.managed) statistics.reserved_bytes.add(static_cast<int64_t>(size));
  ++set.of_program;
  publish(arena);
  *out = arena;
  return 0;
}

Arena* arena_at(size_t index) {
  return index < set.count.load(kAcquire) ? set.arenas[index].load(kAcquire) : nullptr;
}

Arena* arena_of(uintptr_t address) {
  for (size_t i = 0; Arena* const arena = arena_at(i); ++i) {
    if (arena->contains(address)) return arena;
  }
  return nullptr;
}

bool begin_mapping(size_t size) {
  const size_t before = set.mapped.fetch_add(size, kRelaxed);
  const auto limit = static_cast<size_t>(options.arena_limit);
  if (limit == 0 || (before <= limit && size <= limit - before)) return true;
  end_mapping(size);
  return false;
}

void end_mapping(size_t size) {
  set.mapped.fetch_sub(size, kRelaxed);
}
size_t mapped_bytes() {
  return set.mapped.load(kRelaxed);
}

void lock_arenas() {
  set.lock.lock();
}
void unlock_arenas() {
  set.lock.unlock();
}

void reset_arenas() {
  const size_t arenas = set.count.load(kRelaxed);
  for (size_t i = 0; i < arenas; ++i) set.arenas[i].store(nullptr, kRelaxed);
  set.count.store(0, kRelaxed);
  set.of_program = 0;
  set.mapped.store(0, kRelaxed);
}

}  // namespace xi
