// Address -> page, for any address at all. Two levels: 2^17 entries of 1 GiB each, and leaves with an entry for each
// slice. What the top level holds is the distance from a leaf of zeros that is always there, so that a lookup needs no
// test for a missing leaf. docs/architecture.md has the measurement that decided for it and against segment masks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/atomic.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"

namespace xi {

class Page;

namespace page_map {

inline constexpr size_t kLeafShift = 30;
inline constexpr size_t kLeafEntries = size_t{1} << (kLeafShift - kSliceShift);
inline constexpr size_t kTopEntries = size_t{1} << (kAddressBits - kLeafShift);

using Entry = Atomic<Page*>;

// Both in one object: the compiler then needs its address once.
struct Tables {
  Entry zero_leaf[kLeafEntries];
  Atomic<uintptr_t> top[kTopEntries];  // leaf - address of the tables, so that 0 stands for zero_leaf
};
XI_HIDDEN extern Tables tables;

// The page whose slices hold the address, or null. Relaxed: who may ask about a block got it from a thread that had
// entered it before, and whatever handed the block over also handed over the entry.
inline Page* find(const void* pointer) {
  const uintptr_t address = address_of(pointer);
  uintptr_t index = address >> kLeafShift;
  // Keeps the compiler from shifting twice, once for the comparison and once for the index.
  __asm__("" : "+r"(index));
  if (__builtin_expect(index >= kTopEntries, 0)) return nullptr;
  const auto* leaf = reinterpret_cast<const Entry*>(address_of(&tables) + tables.top[index].load(kRelaxed));
  return leaf[(address >> kSliceShift) % kLeafEntries].load(kRelaxed);
}

// True when there is a page anywhere in the range.
bool any(uintptr_t base, size_t size);

// Makes sure that there are leaves for the range; false when there is no memory for them. Leaves stay for ever.
bool cover(uintptr_t base, size_t size);

// Enters `page` (null: nothing) for `slices` slices from `base` on, which cover() has seen.
void enter(uintptr_t base, size_t slices, Page* page);

void lock();
void unlock();

// For a reset: the leaves' memory has gone with all other metadata.
void reset();

}  // namespace page_map
}  // namespace xi
