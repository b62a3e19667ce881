#include "harness/model/extent_map.h"

#include <algorithm>

namespace assay {
namespace {

constexpr size_t kLeavesPerChunk = 64;

// Bits [first, last] of a word.
uint64_t mask(size_t first, size_t last) {
  return (~uint64_t{0} >> (63 - last)) & (~uint64_t{0} << first);
}

// Calls visit(word index, mask) for the words that hold granules [first, last]; stops at the first false.
template <typename Visit>
bool for_each_word(size_t first, size_t last, Visit visit) {
  size_t word = first / 64;
  const size_t last_word = last / 64;
  if (word == last_word) return visit(word, mask(first % 64, last % 64));
  if (!visit(word, mask(first % 64, 63))) return false;
  for (++word; word < last_word; ++word) {
    if (!visit(word, ~uint64_t{0})) return false;
  }
  return visit(last_word, mask(0, last % 64));
}

}  // namespace

ExtentMap::ExtentMap() : root_(static_cast<Table**>(map_pages(kTableEntries * sizeof(Table*)))) {}

ExtentMap::~ExtentMap() {
  for (size_t i = 0; i < chunk_count_; ++i) unmap_pages(chunks_[i], kLeavesPerChunk * sizeof(Leaf));
  for (size_t i = 0; i < table_count_; ++i) unmap_pages(tables_[i], sizeof(Table));
  unmap_pages(root_, kTableEntries * sizeof(Table*));
}

ExtentMap::Entry ExtentMap::entry_at(uintptr_t address) const {
  const size_t index = address >> kLeafShift;
  const Table* table = root_[index >> kTableBits];
  return table == nullptr ? 0 : table->entries[index & (kTableEntries - 1)];
}

ExtentMap::Entry& ExtentMap::make_entry(uintptr_t address) {
  const size_t index = address >> kLeafShift;
  Table*& table = root_[index >> kTableBits];
  if (table == nullptr) {
    table = static_cast<Table*>(map_pages(sizeof(Table)));
    tables_.reserve(table_count_ + 1);
    tables_[table_count_++] = table;
    leaf_count_ += sizeof(Table) / sizeof(Leaf);
  }
  return table->entries[index & (kTableEntries - 1)];
}

ExtentMap::Leaf& ExtentMap::make_leaf(Entry& entry) {
  if (Leaf* leaf = leaf_of(entry)) return *leaf;
  if (chunk_count_ == 0 || leaves_in_chunk_ == kLeavesPerChunk) {
    chunks_.reserve(chunk_count_ + 1);
    chunks_[chunk_count_++] = static_cast<Leaf*>(map_pages(kLeavesPerChunk * sizeof(Leaf)));
    leaves_in_chunk_ = 0;
  }
  ++leaf_count_;
  Leaf* leaf = &chunks_[chunk_count_ - 1][leaves_in_chunk_++];
  entry |= reinterpret_cast<Entry>(leaf);
  return *leaf;
}

// Calls visit(address in leaf, first granule, last granule) for each leaf of the range; stops at the first false.
template <typename Visit>
bool ExtentMap::for_each_part(uintptr_t begin, size_t size, Visit visit) {
  const uintptr_t last = begin + size - 1;
  for (uintptr_t at = begin;;) {
    const uintptr_t leaf_last = at | ((uintptr_t{1} << kLeafShift) - 1);
    const uintptr_t part_last = std::min(last, leaf_last);
    const uintptr_t base = leaf_last - ((uintptr_t{1} << kLeafShift) - 1);
    if (!visit(at, (at - base) / kGranuleBytes, (part_last - base) / kGranuleBytes)) return false;
    if (part_last == last) return true;
    at = part_last + 1;
  }
}

bool ExtentMap::any(uintptr_t begin, size_t size) const {
  return !for_each_part(begin, size, [this](uintptr_t at, size_t first, size_t last) {
    const Entry entry = entry_at(at);
    if ((entry & kWhole) != 0) return false;
    const Leaf* leaf = leaf_of(entry);
    if (leaf == nullptr) return true;
    return for_each_word(first, last, [leaf](size_t word, uint64_t bits) { return (leaf->words[word] & bits) == 0; });
  });
}

bool ExtentMap::insert(uintptr_t begin, size_t size) {
  const uintptr_t last = begin + size - 1;
  if (begin / (64 * kGranuleBytes) == last / (64 * kGranuleBytes)) {
    // One word: by far the most common case.
    Entry& entry = make_entry(begin);
    if ((entry & kWhole) != 0) return false;
    uint64_t& word = make_leaf(entry).words[(begin / (64 * kGranuleBytes)) % kLeafWords];
    const uint64_t bits = mask((begin / kGranuleBytes) % 64, (last / kGranuleBytes) % 64);
    if ((word & bits) != 0) return false;
    word |= bits;
    return true;
  }
  if (any(begin, size)) return false;
  force(begin, size);
  return true;
}

void ExtentMap::force(uintptr_t begin, size_t size) {
  for_each_part(begin, size, [this](uintptr_t at, size_t first, size_t last) {
    Entry& entry = make_entry(at);
    if (first == 0 && last == kLeafGranules - 1) {
      entry |= kWhole;
      return true;
    }
    Leaf& leaf = make_leaf(entry);
    return for_each_word(first, last, [&leaf](size_t word, uint64_t bits) {
      leaf.words[word] |= bits;
      return true;
    });
  });
}

void ExtentMap::remove(uintptr_t begin, size_t size) {
  for_each_part(begin, size, [this](uintptr_t at, size_t first, size_t last) {
    if (first == 0 && last == kLeafGranules - 1) {
      make_entry(at) &= ~kWhole;
      return true;
    }
    Leaf* leaf = leaf_of(entry_at(at));
    return for_each_word(first, last, [leaf](size_t word, uint64_t bits) {
      leaf->words[word] &= ~bits;
      return true;
    });
  });
}

void ExtentMap::trim(size_t leaves_to_keep) {
  if (leaf_count_ <= leaves_to_keep) return;
  for (size_t i = 0; i < chunk_count_; ++i) unmap_pages(chunks_[i], kLeavesPerChunk * sizeof(Leaf));
  for (size_t i = 0; i < table_count_; ++i) unmap_pages(tables_[i], sizeof(Table));
  for (size_t i = 0; i < kTableEntries; ++i) root_[i] = nullptr;
  chunk_count_ = table_count_ = leaves_in_chunk_ = leaf_count_ = 0;
}

}  // namespace assay
