#include "allocator/page_map/page_map.h"

#include "allocator/arena/arena_set.h"
#include "allocator/base/lock.h"
#include "allocator/os/memory.h"

namespace xi {

namespace page_map {

constinit Tables tables;

namespace {

constinit Lock cover_lock;
// The entries of `top` that were ever set, as an interval: a reset need not look at the other million bytes.
constinit size_t lowest_set = kTopEntries;
constinit size_t highest_set = 0;

Entry* leaf_of(uintptr_t address) {
  return reinterpret_cast<Entry*>(address_of(&tables) + tables.top[address >> kLeafShift].load(kRelaxed));
}

bool cover_one(size_t index) {
  if (tables.top[index].load(kRelaxed) != 0) return true;
  void* leaf = nullptr;
  if (os::map(align_up(kLeafEntries * sizeof(Entry), kSliceSize), kSliceSize, os::Purpose::kMetadata, &leaf) != 0) {
    return false;
  }
  tables.top[index].store(address_of(leaf) - address_of(&tables), kRelease);
  if (index < lowest_set) lowest_set = index;
  if (index > highest_set) highest_set = index;
  return true;
}

}  // namespace

bool cover(uintptr_t base, size_t size) {
  LockGuard guard(cover_lock);
  const size_t last = (base + size - 1) >> kLeafShift;
  if (last >= kTopEntries) return false;
  for (size_t index = base >> kLeafShift; index <= last; ++index) {
    if (!cover_one(index)) return false;
  }
  return true;
}

bool any(uintptr_t base, size_t size) {
  constexpr size_t kLeafBytes = size_t{1} << kLeafShift;
  const uintptr_t end = base + size;
  while (base < end && base >> kLeafShift < kTopEntries) {
    // A missing leaf covers as much as one that is there.
    const bool missing = tables.top[base >> kLeafShift].load(kRelaxed) == 0;
    if (!missing && find(reinterpret_cast<void*>(base)) != nullptr) return true;
    base = missing ? align_down(base, kLeafBytes) + kLeafBytes : align_down(base, kSliceSize) + kSliceSize;
  }
  return false;
}

void enter(uintptr_t base, size_t slices, Page* page) {
  while (slices > 0) {
    const size_t first = (base >> kSliceShift) % kLeafEntries;
    const size_t here = slices < kLeafEntries - first ? slices : kLeafEntries - first;
    Entry* const entries = leaf_of(base) + first;
    os::will_use(address_of(entries), here * sizeof(Entry));
    for (size_t i = 0; i < here; ++i) entries[i].store(page, kRelaxed);
    base += here << kSliceShift;
    slices -= here;
  }
}

void lock() {
  cover_lock.lock();
}
void unlock() {
  cover_lock.unlock();
}

void reset() {
  for (size_t index = lowest_set; index <= highest_set && index < kTopEntries; ++index)
    tables.top[index].store(0, kRelaxed);
  lowest_set = kTopEntries;
  highest_set = 0;
}

}  // namespace page_map

constinit bool (*arena_created)(uintptr_t base, size_t size) = &page_map::cover;

}  // namespace xi
