// Addresses to records, in memory of its own, forgotten at once: what a scheduler knows of each location that a run has
// touched. A record has cells beside it, as many as the run's lanes ask for, so that those of a run with few lanes lie
// close together: most of a search's time would be misses of the cache else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "harness/sched/raw.h"

namespace assay {

// Record and Cell are trivially destructible. A record is value-initialised when its address is seen for the first time
// in a run; its cells hold anything then.
template <class Record, class Cell>
class LocationTable {
 public:
  static constexpr size_t kSlots = size_t{1} << 15;

  struct Found {
    Record* record;  // null when a run has touched more locations than the table holds, or there was no memory for it
    Cell* cells;
  };

  explicit LocationTable(uint32_t most_cells)
      : cell_bytes_(kSlots * most_cells * sizeof(Cell)),
        slots_(static_cast<Slot*>(map_zeroed(kSlots * sizeof(Slot)))),
        records_(static_cast<Record*>(map_zeroed(kSlots * sizeof(Record)))),
        cells_(static_cast<Cell*>(map_zeroed(cell_bytes_))) {}
  ~LocationTable() {
    unmap_zeroed(slots_, kSlots * sizeof(Slot));
    unmap_zeroed(records_, kSlots * sizeof(Record));
    unmap_zeroed(cells_, cell_bytes_);
  }
  LocationTable(const LocationTable&) = delete;
  LocationTable& operator=(const LocationTable&) = delete;

  // `cells` of each record, at most as many as the table was made for.
  void clear(uint32_t cells) {
    ++epoch_;
    count_ = 0;
    stride_ = cells;
  }

  Found find(const void* address) {
    if (slots_ == nullptr || records_ == nullptr || cells_ == nullptr) return {nullptr, nullptr};
    size_t at = (reinterpret_cast<uintptr_t>(address) * 0x9e3779b97f4a7c15) >> (64 - 15);
    for (size_t probes = 0; probes < kSlots; ++probes, at = (at + 1) % kSlots) {
      Slot& slot = slots_[at];
      if (slot.epoch != epoch_) {
        slot.epoch = epoch_;
        slot.address = address;
        slot.index = count_++;
        return {new (&records_[slot.index]) Record(), cells_of(slot)};
      }
      if (slot.address == address) return {&records_[slot.index], cells_of(slot)};
    }
    return {nullptr, nullptr};
  }

 private:
  struct Slot {
    uint64_t epoch;
    const void* address;
    size_t index;
  };
  Cell* cells_of(const Slot& slot) const { return cells_ + slot.index * stride_; }

  const size_t cell_bytes_;
  Slot* slots_;
  Record* records_;
  Cell* cells_;
  size_t count_ = 0, stride_ = 0;
  uint64_t epoch_ = 1;
};

}  // namespace assay
