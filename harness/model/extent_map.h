// Which addresses belong to a live block, independent of what is in them: one bit for 8 bytes, in a radix tree over the
// 47-bit address space. A leaf covers 512 KiB; leaves that one block covers wholly need no bits, so a block of 1 GiB
// costs 2,048 marks. Insert, remove and lookup touch one or two words for a block of up to 512 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/model/mapped_array.h"

namespace assay {

inline constexpr uintptr_t kAddressLimit = uintptr_t{1} << 47;

class ExtentMap {
 public:
  static constexpr size_t kGranuleBytes = 8;
  static constexpr size_t kLeavesToKeep = 4096;

  ExtentMap();
  ~ExtentMap();
  ExtentMap(const ExtentMap&) = delete;
  ExtentMap& operator=(const ExtentMap&) = delete;

  // Marks every granule that [begin, begin + size) touches. False, and nothing is marked, when one of them is marked
  // already. The range lies below kAddressLimit and is not empty.
  bool insert(uintptr_t begin, size_t size);
  // Marks them whatever is marked already.
  void force(uintptr_t begin, size_t size);
  // Clears the granules of a range that was inserted.
  void remove(uintptr_t begin, size_t size);
  // True when a granule of the range is marked.
  bool any(uintptr_t begin, size_t size) const;
  // Gives the leaves back to the kernel when there are more than that; the map must be empty.
  void trim(size_t leaves_to_keep = kLeavesToKeep);

 private:
  static constexpr unsigned kLeafShift = 19;
  static constexpr unsigned kTableBits = 14;
  static constexpr size_t kTableEntries = size_t{1} << kTableBits;
  static constexpr size_t kLeafGranules = (size_t{1} << kLeafShift) / kGranuleBytes;
  static constexpr size_t kLeafWords = kLeafGranules / 64;

  struct Leaf {
    uint64_t words[kLeafWords];
  };
  // A leaf's address, or kWhole: one block covers all of it, and no leaf is needed for that. Both when there is one
  // that was used before.
  using Entry = uintptr_t;
  static constexpr Entry kWhole = 1;
  struct Table {
    Entry entries[kTableEntries];
  };

  Entry entry_at(uintptr_t address) const;
  Entry& make_entry(uintptr_t address);
  Leaf& make_leaf(Entry& entry);
  static Leaf* leaf_of(Entry entry) { return reinterpret_cast<Leaf*>(entry & ~kWhole); }
  template <typename Visit>
  static bool for_each_part(uintptr_t begin, size_t size, Visit visit);

  Table** root_;
  MappedArray<Table*> tables_;
  size_t table_count_ = 0;
  MappedArray<Leaf*> chunks_;
  size_t chunk_count_ = 0;
  size_t leaves_in_chunk_ = 0;
  size_t leaf_count_ = 0;  // and tables, which are as large as 16 leaves
};

}  // namespace assay
