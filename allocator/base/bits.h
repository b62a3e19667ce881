// Arithmetic on bits and alignments.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xi {

constexpr bool is_power_of_two(size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

// `alignment` is a power of two; the caller makes sure that the sum does not wrap.
constexpr size_t align_up(size_t value, size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}
constexpr size_t align_down(size_t value, size_t alignment) {
  return value & ~(alignment - 1);
}
constexpr bool is_aligned(size_t value, size_t alignment) {
  return (value & (alignment - 1)) == 0;
}

// Index of the lowest and of the highest set bit; the value is not 0.
constexpr size_t lowest_bit(uint64_t value) {
  return static_cast<size_t>(__builtin_ctzll(value));
}
constexpr size_t highest_bit(uint64_t value) {
  return 63 - static_cast<size_t>(__builtin_clzll(value));
}
constexpr size_t count_bits(uint64_t value) {
  return static_cast<size_t>(__builtin_popcountll(value));
}

// A word with `count` bits set from bit `first` on; first + count <= 64, count >= 1.
constexpr uint64_t bit_mask(size_t first, size_t count) {
  return (~uint64_t{0} >> (64 - count)) << first;
}

inline uintptr_t address_of(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

}  // namespace xi
