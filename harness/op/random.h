// Random numbers that never change: what they decide is part of the meaning of programs (ranges, halves), and a
// mutation must be repeatable from its seed. Both are splitmix64 (Steele, Lea, Flood 2014), which any later version can
// compute.
#pragma once

#include <cstdint>

namespace assay {

inline constexpr uint64_t kSplitMixStep = 0x9e3779b97f4a7c15;

constexpr uint64_t mix_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The `index`-th number of the sequence that starts at `seed`, without the ones before it.
constexpr uint64_t random_at(uint64_t seed, uint64_t index) {
  return mix_bits(mix_bits(seed) + (index + 1) * kSplitMixStep);
}

// Maps 64 random bits onto [0, bound), bound > 0.
constexpr uint64_t below(uint64_t bits, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(mix_bits(seed + kSplitMixStep)) {}
  uint64_t bits() { return mix_bits(state_ += kSplitMixStep); }
  uint64_t below(uint64_t bound) { return assay::below(bits(), bound); }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }  // not for the full 64 bits
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace assay
