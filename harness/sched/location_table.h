// Addresses to records, in memory of its own, forgotten at once: what a scheduler knows of each location that a run has
// touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "harness/sched/raw.h"

namespace assay {

// T is trivially destructible, and value-initialised when an address is seen for the first time in a run.
template <class T>
class LocationTable {
 public:
  static constexpr size_t kSlots = size_t{1} << 15;

  LocationTable() : slots_(static_cast<Slot*>(map_zeroed(kSlots * sizeof(Slot)))) {}
  ~LocationTable() { unmap_zeroed(slots_, kSlots * sizeof(Slot)); }
  LocationTable(const LocationTable&) = delete;
  LocationTable& operator=(const LocationTable&) = delete;

  void clear() { ++epoch_; }

  // Null when a run has touched more locations than the table holds, or there was no memory for it.
  T* find(const void* address) {
    if (slots_ == nullptr) return nullptr;
    size_t at = (reinterpret_cast<uintptr_t>(address) * 0x9e3779b97f4a7c15) >> (64 - 15);
    for (size_t probes = 0; probes < kSlots; ++probes, at = (at + 1) % kSlots) {
      Slot& slot = slots_[at];
      if (slot.epoch != epoch_) {
        slot.epoch = epoch_;
        slot.address = address;
        new (&slot.record) T();
        return &slot.record;
      }
      if (slot.address == address) return &slot.record;
    }
    return nullptr;
  }

 private:
  struct Slot {
    uint64_t epoch;
    const void* address;
    T record;
  };
  Slot* slots_;
  uint64_t epoch_ = 1;
};

}  // namespace assay
