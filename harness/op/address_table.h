// A hash table from addresses (or other 64-bit keys but the largest) to numbers, in memory mapped by itself: steps are
// drawn while a subject that may be the process's own malloc is under test. Size follows the number of entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace assay {

class AddressTable {
 public:
  AddressTable();
  ~AddressTable();
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  size_t size() const { return size_; }
  std::optional<uint64_t> find(uint64_t key) const;
  // Replaces what was there.
  void put(uint64_t key, uint64_t value);
  // Removes and returns the entry.
  std::optional<uint64_t> take(uint64_t key);

 private:
  struct Entry {
    uint64_t key_plus_one;  // 0: empty, as fresh memory is
    uint64_t value;
  };

  size_t home(uint64_t key) const;
  size_t position(uint64_t key) const;
  void resize(size_t capacity);

  Entry* entries_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

// A stack of numbers in memory mapped by itself.
class MappedStack {
 public:
  MappedStack();
  ~MappedStack();
  MappedStack(const MappedStack&) = delete;
  MappedStack& operator=(const MappedStack&) = delete;

  bool empty() const { return size_ == 0; }
  void push(uint64_t value);
  uint64_t pop() { return values_[--size_]; }

 private:
  uint64_t* values_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace assay
