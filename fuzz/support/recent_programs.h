// The latest programs that a process ran, in memory that outlives it: what a find needs that comes of the programs
// before it. A ring of bytes, so that of short programs there are many; the oldest are overwritten first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay::fuzz {

// One process writes, and another reads when that one is dead or stopped.
class RecentPrograms {
 public:
  static constexpr size_t kBytes = size_t{256} * 1024;
  // What came before a longer one than this cannot be joined to what comes after, and is forgotten; so is that one.
  static constexpr size_t kLongest = size_t{32} * 1024;

  void keep(std::span<const uint8_t> program);
  void forget() { written_ = 0; }
  // Whether older ones than all() has were overwritten.
  bool lacks_oldest() const { return written_ > kBytes; }
  // Those that are whole, oldest first.
  std::vector<std::vector<uint8_t>> all() const;

 private:
  // Behind the bytes of a program stands how many they are: read from the end, the ring tells where each begins.
  using Size = uint32_t;
  void write(std::span<const uint8_t> bytes, uint64_t at);
  void read(std::span<uint8_t> bytes, uint64_t at) const;

  volatile uint64_t written_ = 0;  // bytes, since the beginning
  std::array<uint8_t, kBytes> ring_ = {};
};

}  // namespace assay::fuzz
