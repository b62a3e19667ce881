#include "allocator/os/unmap_later.h"

#include "allocator/base/lock.h"
#include "allocator/os/calls.h"
#include "allocator/os/errno_keeper.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/base/bits.h"
#include "allocator/os/seam.h"
#endif

namespace xi::os {

namespace {

struct Mapping {
  void* address;
  size_t size;
};

// In a ring: what is refused again goes to the end.
constexpr size_t kRoom = 1024;
// Kept for threads that have asked for room and not used it yet: one mapping gives back four ranges at most.
constexpr size_t kReserve = 256;
struct Waiting {
  Lock lock;
  Atomic<size_t> count;  // changed under the lock; read without it, so that nobody takes the lock for nothing
  size_t first = 0;
  Mapping mappings[kRoom] = {};
};
constinit Waiting waiting;

bool take(Mapping* out) {
  if (waiting.count.load(kRelaxed) == 0) return false;
  LockGuard guard(waiting.lock);
  const size_t count = waiting.count.load(kRelaxed);
  if (count == 0) return false;
  *out = waiting.mappings[waiting.first];
  waiting.first = (waiting.first + 1) % kRoom;
  waiting.count.store(count - 1, kRelaxed);
  return true;
}

// True when there was one, and it is gone. The call is made outside of the lock; meanwhile nobody else knows of it.
bool retry() {
  Mapping mapping = {};
  if (!take(&mapping)) return false;
  if (call_munmap(mapping.address, mapping.size) == 0) return true;
  unmap_later(mapping.address, mapping.size);
  return false;
}

}  // namespace

bool unmap_later(void* address, size_t size) {
  LockGuard guard(waiting.lock);
  const size_t count = waiting.count.load(kRelaxed);
  if (count == kRoom) return false;
  waiting.mappings[(waiting.first + count) % kRoom] = {address, size};
  waiting.count.store(count + 1, kRelaxed);
  return true;
}

void retry_one_unmap() {
  retry();
}

void retry_unmaps() {
  ErrnoKeeper keeper;
  while (retry()) {
  }
}

size_t unmaps_waiting() {
  return waiting.count.load(kRelaxed);
}

bool room_to_unmap_later() {
  if (unmaps_waiting() < kRoom - kReserve) return true;
  retry_unmaps();
  return unmaps_waiting() < kRoom - kReserve;
}

void lock_unmaps() {
  waiting.lock.lock();
}
void unlock_unmaps() {
  waiting.lock.unlock();
}

#if defined(XIMALLOC_TEST_SEAMS)
size_t block_bytes_waiting() {
  LockGuard guard(waiting.lock);
  size_t bytes = 0;
  for (size_t i = 0; i < waiting.count.load(kRelaxed); ++i) {
    const Mapping& mapping = waiting.mappings[(waiting.first + i) % kRoom];
    if (seam_is_for_blocks(address_of(mapping.address), mapping.size)) bytes += mapping.size;
  }
  return bytes;
}
#endif

void reset_unmaps() {
  waiting.count.store(0, kRelaxed);
  waiting.first = 0;
}

}  // namespace xi::os
