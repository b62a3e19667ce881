// What a live block is filled with: word i holds seed + i * kStep, so that a copy from a neighbour (another seed), a
// copy that is off by a word, stale data and zeroes all differ from what belongs there. Word-wise, unaligned,
// vectorisable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace assay {

inline constexpr size_t kAllRight = ~size_t{0};

// Writes the pattern to the bytes [from, to) of `block`.
void fill_pattern(void* block, uint64_t seed, size_t from, size_t to);
// Offset of the first byte in [from, to) that does not hold the pattern; kAllRight when all do.
size_t first_wrong_byte(const void* block, uint64_t seed, size_t from, size_t to);
// Offset of the first byte in [from, to) that is not zero.
size_t first_nonzero_byte(const void* block, size_t from, size_t to);
// The pattern's byte at `offset`.
uint8_t pattern_byte(uint64_t seed, size_t offset);

// A well-mixed number for the n-th block of a run (splitmix64).
uint64_t block_seed(uint64_t serial);

// Which bytes of a block are filled and checked: all of it up to `dense_bytes`; above that `edge_bytes` at each end and
// up to `samples` lines of 64 bytes between them, at multiples of 64 KiB.
struct FillPlan {
  uint64_t dense_bytes;
  uint64_t edge_bytes;
  uint64_t samples;
};

inline constexpr FillPlan kSampledPlan{uint64_t{64} << 10, uint64_t{4} << 10, 32};
inline constexpr FillPlan kSampledDensePlan{uint64_t{1} << 20, uint64_t{4} << 10,
                                            32};  // every 16th block of a sampled run
inline constexpr FillPlan kStrictPlan{uint64_t{64} << 20, uint64_t{16} << 20, 16384};

inline constexpr uint64_t kSampleBytes = 64;
inline constexpr uint64_t kSampleGrid = uint64_t{64} << 10;

// Calls visit(from, to) for each part of the plan in ascending order; stops at the first false and returns it.
template <typename Visit>
bool for_each_part(const FillPlan& plan, uint64_t size, Visit visit) {
  if (size <= plan.dense_bytes) return size == 0 || visit(uint64_t{0}, size);
  if (!visit(uint64_t{0}, plan.edge_bytes)) return false;
  const uint64_t middle_end = size - plan.edge_bytes;
  const uint64_t steps = std::max<uint64_t>(1, (size / kSampleGrid + plan.samples - 1) / plan.samples);
  const uint64_t stride = steps * kSampleGrid;
  for (uint64_t at = (plan.edge_bytes + stride - 1) / stride * stride; at + kSampleBytes <= middle_end; at += stride) {
    if (!visit(at, at + kSampleBytes)) return false;
  }
  return visit(middle_end, size);
}

// Bytes that the plan touches in a block of `size` bytes.
uint64_t planned_bytes(const FillPlan& plan, uint64_t size);

}  // namespace assay
