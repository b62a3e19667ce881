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

// How far an unaligned mapping is off: a page of the system.
constexpr size_t kSkew = 4096;

struct Seam {
  Lock lock;
  SeamHook hook;
  uint64_t mapped_bytes = 0;     // metadata too
  uint64_t committed_bytes = 0;  // metadata too
  SeamFootprint blocks = {0, 0};
};
constinit Seam seam;
constinit Region region;

// The kernel gives a range out again only after it was given back, and who has it then sees what was before that.
std::memory_order order_of(Call kind) {
  return kind == Call::kMunmap ? kRelease : kind == Call::kMmap ? kAcquire : kRelaxed;
}

int ask(const SeamCall& call) {
  announce(&seam, 0, Access::kSystemCall, order_of(call.kind));
  return seam.hook.before != nullptr ? seam.hook.before(call) : 0;
}

void tell(const SeamCall& call, void* address) {
  if (seam.hook.after != nullptr) seam.hook.after(call, address);
}

void count_committed(Purpose purpose, int64_t grown) {
  seam.committed_bytes += static_cast<uint64_t>(grown);
  if (purpose == Purpose::kBlocks) seam.blocks.committed_bytes += static_cast<uint64_t>(grown);
}

void count_mapped(Purpose purpose, int64_t grown) {
  seam.mapped_bytes += static_cast<uint64_t>(grown);
  if (purpose == Purpose::kBlocks) seam.blocks.mapped_bytes += static_cast<uint64_t>(grown);
}

// A call about memory that is mapped already.
SeamCall about(Call kind, void* where, size_t size, Protection access, CallSite site) {
  SeamGuard guard(seam.lock);
  const Region::Range* const range = region.covering(address_of(where), size);
  return {kind, where, size, 0, access, range != nullptr ? range->purpose : Purpose::kMetadata, range != nullptr, site};
}

// What was never mapped is a fault of the allocator: the tester's to report, and without a tester the end.
int ask_about(const SeamCall& call) {
  const int answer = ask(call);
  XI_ASSERT(call.known || seam.hook.before != nullptr);
  if (!call.known) return EINVAL;
  const bool reachable =
      region.contains(address_of(call.address)) || call.kind == Call::kMunmap || call.purpose == Purpose::kProgram;
  return answer == 0 && !reachable ? ENOMEM : answer;
}

}  // namespace

void set_seam_hook(const SeamHook& hook) {
  seam.hook = hook;
}
int seam_refuses(Call kind, CallSite site) {
  return ask({kind, nullptr, 0, 0, Protection::kNone, Purpose::kMetadata, true, site});
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

bool seam_is_for_blocks(uintptr_t address, size_t size) {
  SeamGuard guard(seam.lock);
  const Region::Range* const range = region.covering(address, size);
  return range != nullptr && range->purpose == Purpose::kBlocks;
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

// A hint is not taken: the alignment that is wanted does more.
int call_mmap(void*, size_t size, size_t wanted, Protection access, Purpose purpose, void** out, CallSite site) {
  const SeamCall call = {Call::kMmap, nullptr, size, wanted, access, purpose, true, site};
  const int answer = ask(call);
  if (answer > 0) return answer;
  {
    SeamGuard guard(seam.lock);
    if (size > kSeamMappedCap - seam.mapped_bytes) return ENOMEM;
    const bool opens = access == Protection::kReadWrite && answer != kHigh;
    if (opens && size > kSeamCommittedCap - seam.committed_bytes) return ENOMEM;
    const uintptr_t address = answer == kHigh        ? region.take_high(size, purpose)
                              : answer == kUnaligned ? region.take(size, 1, kSkew, purpose)
                                                     : region.take(size, wanted, 0, purpose);
    if (address == 0) return ENOMEM;
    if (opens) {
      if (const int error = region.open(address, size)) {
        region.release(address, size);
        return error;
      }
      count_committed(purpose, region.set_committed(address, size, true));
    }
    count_mapped(purpose, static_cast<int64_t>(size));
    *out = reinterpret_cast<void*>(address);
  }
  tell(call, *out);
  return 0;
}

int call_munmap(void* where, size_t size, CallSite site) {
  const uintptr_t address = address_of(where);
  const SeamCall call = about(Call::kMunmap, where, size, Protection::kNone, site);
  if (const int refused = ask_about(call)) return refused;
  {
    SeamGuard guard(seam.lock);
    if (region.contains(address)) {
      if (const int error = region.close(address, size)) return error;
      count_committed(call.purpose, region.set_committed(address, size, false));
    }
    count_mapped(call.purpose, -static_cast<int64_t>(size));
    region.release(address, size);
  }
  tell(call, where);
  return 0;
}

int call_mprotect(void* where, size_t size, Protection access, CallSite site) {
  const uintptr_t address = address_of(where);
  const SeamCall call = about(Call::kMprotect, where, size, access, site);
  if (const int refused = ask_about(call)) return refused;
  {
    SeamGuard guard(seam.lock);
    const bool opens = access == Protection::kReadWrite;
    if (!region.contains(address)) return region.protect_outside(address, size, opens);
    const size_t more = opens ? size - region.committed_in(address, size) : 0;
    if (more > kSeamCommittedCap - seam.committed_bytes) return ENOMEM;
    if (const int error = opens ? region.open(address, size) : region.protect(address, size)) return error;
    count_committed(call.purpose, region.set_committed(address, size, opens));
  }
  tell(call, where);
  return 0;
}

int call_mmap_huge(void* where, size_t size, unsigned, CallSite site) {
  const uintptr_t address = address_of(where);
  SeamCall call = about(Call::kMmap, where, size, Protection::kReadWrite, site);
  call.alignment = kSliceSize;
  const int answer = ask_about(call);
  // A fixed address is what it is.
  if (answer != 0) return answer > 0 ? answer : ENOMEM;
  {
    SeamGuard guard(seam.lock);
    if (size > kSeamCommittedCap - seam.committed_bytes) return ENOMEM;
    if (const int error = region.open(address, size)) return error;
    count_committed(call.purpose, region.set_committed(address, size, true));
  }
  tell(call, where);
  return 0;
}

int call_madvise(void* where, size_t size, CallSite site) {
  const uintptr_t address = address_of(where);
  const SeamCall call = about(Call::kMadvise, where, size, Protection::kNone, site);
  const int answer = ask_about(call);
  if (answer > 0) return answer;
  {
    SeamGuard guard(seam.lock);
    if (answer == kDirty) {
      region.spoil(address, size);
      return ENOMEM;
    }
    if (const int error = region.discard(address, size)) return error;
  }
  tell(call, where);
  return 0;
}

size_t call_process_madvise(const Range* ranges, size_t count, CallSite site) {
  for (size_t i = 0; i < count; ++i) {
    auto* const start = reinterpret_cast<void*>(ranges[i].start);
    const SeamCall call = about(Call::kProcessMadvise, start, ranges[i].size, Protection::kNone, site);
    const int answer = ask_about(call);
    if (answer > 0) return i;
    {
      SeamGuard guard(seam.lock);
      if (answer == kDirty) {
        region.spoil(ranges[i].start, ranges[i].size);
        return i;
      }
      if (region.discard(ranges[i].start, ranges[i].size) != 0) return i;
    }
    tell(call, start);
  }
  return count;
}

int seam_map_for_program(size_t size, bool access, void** out) {
  announce(&seam, 0, Access::kSystemCall, order_of(Call::kMmap));
  ErrnoKeeper keeper;
  SeamGuard guard(seam.lock);
  const uintptr_t address = region.take(size, kSliceSize, 0, Purpose::kProgram);
  if (address == 0) return ENOMEM;
  if (access) {
    if (const int error = region.open(address, size)) {
      region.release(address, size);
      return error;
    }
    region.set_committed(address, size, true);
    // The program writes what it likes.
    region.set_used(address, size);
  }
  *out = reinterpret_cast<void*>(address);
  return 0;
}

int adopt(void* where, size_t size) {
  SeamGuard guard(seam.lock);
  return region.adopt(address_of(where), size);
}

void disown(void* where, size_t size) {
  SeamGuard guard(seam.lock);
  region.disown(address_of(where), size);
}

void will_use(uintptr_t address, size_t size) {
  SeamGuard guard(seam.lock);
  // Tests make pages from memory of their own.
  if (region.contains(address)) region.set_used(address, size);
}

}  // namespace xi::os

#endif
