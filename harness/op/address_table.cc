#include "harness/op/address_table.h"

#include <sys/mman.h>

#include "harness/op/program.h"

namespace assay {
namespace {
// One page of entries to begin with.
constexpr size_t kFirstCapacity = 256;

void* map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw InputError{"no memory is left for the live blocks of the trace"};
  return memory;
}
}  // namespace

AddressTable::AddressTable() {
  resize(kFirstCapacity);
}

AddressTable::~AddressTable() {
  munmap(entries_, capacity_ * sizeof(Entry));
}

// Fibonacci hashing: addresses differ in their middle bits.
size_t AddressTable::home(uint64_t key) const {
  const uint64_t mixed = (key ^ (key >> 32)) * 0x9e3779b97f4a7c15u;
  return static_cast<size_t>(mixed >> 20) & (capacity_ - 1);
}

// Of the entry, or of the empty place where it would stand.
size_t AddressTable::position(uint64_t key) const {
  size_t at = home(key);
  while (entries_[at].key_plus_one != 0 && entries_[at].key_plus_one != key + 1) at = (at + 1) & (capacity_ - 1);
  return at;
}

std::optional<uint64_t> AddressTable::find(uint64_t key) const {
  const Entry& entry = entries_[position(key)];
  if (entry.key_plus_one == 0) return std::nullopt;
  return entry.value;
}

void AddressTable::put(uint64_t key, uint64_t value) {
  Entry* entry = &entries_[position(key)];
  if (entry->key_plus_one == 0) {
    if ((size_ + 1) * 2 > capacity_) {
      resize(capacity_ * 2);
      entry = &entries_[position(key)];
    }
    entry->key_plus_one = key + 1;
    ++size_;
  }
  entry->value = value;
}

std::optional<uint64_t> AddressTable::take(uint64_t key) {
  size_t hole = position(key);
  if (entries_[hole].key_plus_one == 0) return std::nullopt;
  const uint64_t value = entries_[hole].value;
  // What stands behind the hole moves up where its search would now stop too early.
  const size_t mask = capacity_ - 1;
  for (size_t at = (hole + 1) & mask; entries_[at].key_plus_one != 0; at = (at + 1) & mask) {
    const size_t wanted = home(entries_[at].key_plus_one - 1);
    if (((at - wanted) & mask) >= ((at - hole) & mask)) {
      entries_[hole] = entries_[at];
      hole = at;
    }
  }
  entries_[hole].key_plus_one = 0;
  --size_;
  return value;
}

void AddressTable::resize(size_t capacity) {
  Entry* old = entries_;
  const size_t old_capacity = capacity_;
  entries_ = static_cast<Entry*>(map(capacity * sizeof(Entry)));
  capacity_ = capacity;
  for (size_t at = 0; at < old_capacity; ++at) {
    if (old[at].key_plus_one != 0) entries_[position(old[at].key_plus_one - 1)] = old[at];
  }
  if (old != nullptr) munmap(old, old_capacity * sizeof(Entry));
}

MappedStack::MappedStack() : values_(static_cast<uint64_t*>(map(kFirstCapacity * sizeof(uint64_t)))) {
  capacity_ = kFirstCapacity;
}

MappedStack::~MappedStack() {
  munmap(values_, capacity_ * sizeof(uint64_t));
}

void MappedStack::push(uint64_t value) {
  if (size_ == capacity_) {
    void* moved = mremap(values_, capacity_ * sizeof(uint64_t), 2 * capacity_ * sizeof(uint64_t), MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) throw InputError{"no memory is left for the live blocks of the trace"};
    values_ = static_cast<uint64_t*>(moved);
    capacity_ *= 2;
  }
  values_[size_++] = value;
}

}  // namespace assay
