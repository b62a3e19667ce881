#if defined(XIMALLOC_TEST_SEAMS)

#include "allocator/os/seam.h"

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"
#include "allocator/base/lock.h"
#include "allocator/os/errno_keeper.h"
#include "allocator/os/memory.h"
#include "allocator/os/region.h"

namespace xi::os {

namespace {

struct Seam {
  Lock lock;
  SeamHook hook;
  uint64_t mapped_bytes = 0;     // metadata too
  uint64_t committed_bytes = 0;  // metadata too
  SeamFootprint blocks = {0, 0};
};
constinit Seam seam;
constinit Region region;

int ask(const SeamCall& call) {
  announce(&seam, 0, Access::kSystemCall, kRelaxed);
  return seam.hook.before != nullptr ? seam.hook.before(call) : 0;
}

void tell(const SeamCall& call, void* address) {
  if (seam.hook.after != nullptr) seam.hook.after(call, address);
}

void count_committed(Purpose purpose, size_t before, size_t after) {
  seam.committed_bytes += after - before;
  if (purpose == Purpose::kBlocks) seam.blocks.committed_bytes += after - before;
}

void count_mapped(Purpose purpose, size_t grown) {
  seam.mapped_bytes += grown;
  if (purpose == Purpose::kBlocks) seam.blocks.mapped_bytes += grown;
}

// One way in for reserve and map.
int take(Call kind, size_t size, size_t alignment, Purpose purpose, void** out) {
  ErrnoKeeper keeper;
  const SeamCall call = {kind, nullptr, size, alignment};
  if (const int refused = ask(call)) return refused;
  {
    SeamGuard guard(seam.lock);
    if (size > kSeamMappedCap - seam.mapped_bytes) return ENOMEM;
    if (kind == Call::kMap && size > kSeamCommittedCap - seam.committed_bytes) return ENOMEM;
    const uintptr_t address = region.take(size, alignment, purpose);
    if (address == 0) return ENOMEM;
    if (kind == Call::kMap) {
      if (const int error = region.open(address, size)) {
        region.release(address);
        return error;
      }
      region.set_committed(address, size, true);
      count_committed(purpose, 0, size);
    }
    count_mapped(purpose, size);
    *out = reinterpret_cast<void*>(address);
  }
  tell(call, *out);
  return 0;
}

// One way in for what happens to a part of a range. `now` is whether it is committed afterwards.
template <class Do>
int change(Call kind, void* where, size_t size, bool now, Do act) {
  ErrnoKeeper keeper;
  const uintptr_t address = address_of(where);
  const SeamCall call = {kind, where, size, 0};
  if (const int refused = ask(call)) return refused;
  {
    SeamGuard guard(seam.lock);
    XI_ASSERT(is_aligned(address, kSliceSize) && is_aligned(size, kSliceSize) && region.contains(address));
    const size_t before = region.committed_in(address, size);
    const size_t after = now ? size : 0;
    if (after > before && after - before > kSeamCommittedCap - seam.committed_bytes) return ENOMEM;
    if (const int error = act(address)) return error;
    region.set_committed(address, size, now);
    count_committed(Purpose::kBlocks, before, after);
  }
  tell(call, where);
  return 0;
}

}  // namespace

void set_seam_hook(const SeamHook& hook) {
  seam.hook = hook;
}
int seam_refuses(Call kind) {
  return ask({kind, nullptr, 0, 0});
}
void lock_seam() {
  seam.lock.lock();
}
void unlock_seam() {
  seam.lock.unlock();
}

bool seam_addresses_are_fixed() {
  ErrnoKeeper keeper;
  SeamGuard guard(seam.lock);
  return region.is_fixed();
}

SeamFootprint seam_footprint() {
  SeamGuard guard(seam.lock);
  return seam.blocks;
}

bool seam_is_committed(uintptr_t address, size_t size) {
  SeamGuard guard(seam.lock);
  return region.is_committed(address, size);
}

uintptr_t seam_first_dirty() {
  return region.first_dirty();
}

void reset_seam() {
  ErrnoKeeper keeper;
  region.reset();
  seam.mapped_bytes = 0;
  seam.committed_bytes = 0;
  seam.blocks = {0, 0};
}

int reserve(size_t size, size_t alignment, void** out) {
  return take(Call::kReserve, size, alignment, Purpose::kBlocks, out);
}

int map(size_t size, size_t alignment, Purpose purpose, void** out) {
  return take(Call::kMap, size, alignment, purpose, out);
}

int unmap(void* where, size_t size) {
  const Region::Range* range = nullptr;
  {
    SeamGuard guard(seam.lock);
    range = region.find(address_of(where));
    XI_ASSERT(range != nullptr && range->size == size);
  }
  const int error =
      change(Call::kUnmap, where, size, false, [size](uintptr_t address) { return region.close(address, size); });
  if (error != 0) return error;
  SeamGuard guard(seam.lock);
  count_mapped(Purpose::kBlocks, -size);
  region.release(address_of(where));
  return 0;
}

int commit(void* where, size_t size) {
  return change(Call::kCommit, where, size, true, [size](uintptr_t address) { return region.open(address, size); });
}

void will_use(uintptr_t address, size_t size) {
  SeamGuard guard(seam.lock);
  // Tests make pages from memory of their own.
  if (region.contains(address)) region.set_used(address, size);
}

int decommit(void* where, size_t size) {
  return change(Call::kDecommit, where, size, false, [size](uintptr_t address) { return region.close(address, size); });
}

int discard(void* where, size_t size) {
  return change(Call::kDiscard, where, size, true, [size](uintptr_t address) { return region.discard(address, size); });
}

}  // namespace xi::os

#endif
