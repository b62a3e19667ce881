// How long ago an address was freed, counted in frees: what an observer uses as coverage. Direct-mapped, so it may
// forget.
#pragma once

#include <cstdint>

#include "harness/model/mapped_array.h"

namespace assay {

class ReuseTable {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // What was freed before now belongs to another program.
  void start() { first_ = frees_ + 1; }

  void freed(uintptr_t address) {
    entries_.reserve(kEntries);
    entries_[index(address)] = {address, ++frees_};
  }
  // Frees since `address` was last freed in this program, kNever when it was not.
  uint64_t distance(uintptr_t address) const {
    if (entries_.capacity() == 0) return kNever;
    const Entry& entry = entries_[index(address)];
    return entry.address == address && entry.at >= first_ ? frees_ - entry.at : kNever;
  }

 private:
  static constexpr size_t kEntries = size_t{1} << 14;
  struct Entry {
    uintptr_t address;
    uint64_t at;
  };
  static size_t index(uintptr_t address) { return (address * 0x9e3779b97f4a7c15) >> 50; }

  MappedArray<Entry> entries_;
  uint64_t frees_ = 0, first_ = 1;
};

}  // namespace assay
