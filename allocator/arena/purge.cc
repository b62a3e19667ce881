// Purge: free slices give their memory back to the system some time after they were freed, so that a program that
// frees and allocates in turn does not pay for it.
#include "allocator/arena/arena.h"
#include "allocator/base/assert.h"
#include "allocator/os/memory.h"
#include "allocator/support/options.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {
// While a run is purged nobody can claim it: long ones go in steps, so that others find slices meanwhile.
constexpr size_t kPurgeStep = 256;
}  // namespace

void Arena::schedule_purge(size_t first, size_t count, uint64_t now) {
  const int64_t delay = options.purge_delay;
  if (delay < 0 || pinned) return;
  purge.set(first, count);
  // Written also when something is scheduled already: who takes the schedule must see the bits of all that are in it.
  uint64_t at = purge_at.load(kRelaxed);
  while (!purge_at.compare_exchange_weak(at, at != 0 ? at : now + static_cast<uint64_t>(delay) + 1, kRelease)) {
  }
}

void Arena::release(size_t first, size_t count, uint64_t now) {
  XI_ASSERT(free.all_clear(first, count) && committed.all_set(first, count));
  // Before the slices are free: who claims them clears the purge bits again.
  schedule_purge(first, count, now);
  free.set(first, count);
  if (first < search_from.load(kRelaxed)) search_from.store(first, kRelaxed);
  if (options.purge_delay == 0) purge_expired(now, true);
}

void Arena::purge_expired(uint64_t now, bool force) {
  uint64_t at = purge_at.load(kRelaxed);
  if (at == 0 || (!force && now < at)) return;
  if (!purge_at.compare_exchange(at, 0, kAcquire)) return;  // Another thread does it, or it was scheduled anew.
  if (!purge_scheduled()) {
    // The system refused, or somebody was in the way: what is left is tried again later.
    uint64_t unscheduled = 0;
    purge_at.compare_exchange(unscheduled, now + static_cast<uint64_t>(options.purge_delay) + 1, kRelaxed);
  }
}

bool Arena::purge_scheduled() {
  bool all = true;
  for (size_t at = purge.first_set(0, slice_count); at != Bitmap::kNone; at = purge.first_set(at, slice_count)) {
    // Slices that were claimed since their bit was read split the run: the rest is taken slice by slice. Those that are
    // about to be given back cannot be claimed yet, and whoever does that believes them scheduled: they must stay so.
    size_t count = end_of_run(at) - at;
    if (count == 0 || !free.try_claim(at, count)) {
      count = 1;
      if (!free.try_claim(at, count)) {
        all = false;
        ++at;
        continue;
      }
    }
    all = purge_claimed(at, count) && all;
    free.set(at, count);
    at += count;
  }
  return all;
}

// The end of the run of scheduled slices that begins at `at`; `at` itself when its bit was cleared meanwhile.
size_t Arena::end_of_run(size_t at) const {
  const size_t limit = slice_count - at < kPurgeStep ? slice_count : at + kPurgeStep;
  const size_t clear = purge.first_clear(at, limit);
  return clear == Bitmap::kNone ? limit : clear;
}

// Owning the slices keeps everyone else away while their memory goes, and their bits still. Between the look at the
// bits and the claim another thread may have purged them: only what is still scheduled goes.
bool Arena::purge_claimed(size_t first, size_t count) {
  bool all = true;
  const size_t end = first + count;
  for (size_t at = purge.first_set(first, end); at != Bitmap::kNone;) {
    const size_t clear = purge.first_clear(at, end);
    const size_t stop = clear == Bitmap::kNone ? end : clear;
    all = purge_run(at, stop - at) && all;
    at = purge.first_set(stop, end);
  }
  return all;
}

bool Arena::purge_run(size_t first, size_t count) {
  void* const start = reinterpret_cast<void*>(address_of_slice(first));
  const size_t size = count << kSliceShift;
  // Of a program's mapping it is not known that it reads as zeros afterwards, nor that others do not look at it: its
  // memory goes if the system likes, its slices stay accessible and dirty.
  const bool decommits = options.purge_decommits != 0 && !managed;
  const int error = decommits ? os::decommit(start, size) : os::discard(start, size);
  if (error != 0) return false;  // Still scheduled; committed and dirty stay as they were, which is always safe.
  purge.clear(first, count);
  if (!managed) dirty.clear(first, count);
  statistics.purged_bytes.add(static_cast<int64_t>(size));
  if (decommits) {
    committed.clear(first, count);
    statistics.committed_bytes.add(-static_cast<int64_t>(size));
  }
  return true;
}

}  // namespace xi
