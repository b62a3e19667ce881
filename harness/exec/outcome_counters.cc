#include "harness/exec/outcome_counters.h"

#include <bit>

namespace assay {
namespace {

// Two bins a doubling, so that sizes on both sides of a class boundary tend to differ.
uint64_t size_bin(uint64_t bytes) {
  if (bytes < 2) return bytes;
  const uint64_t exponent = std::bit_width(bytes) - 1u;
  return 2 * exponent + ((bytes >> (exponent - 1)) & 1);
}

// 0: an address never seen before; else 1 + the order of magnitude of the frees since.
uint64_t reuse_bin(uint64_t distance) {
  if (distance == ~uint64_t{0}) return 0;
  return 1u + std::bit_width(distance);
}

}  // namespace

size_t outcome_cell(const Outcome& outcome) {
  const uint64_t result = outcome.skipped ? 2 : outcome.succeeded ? 1 : 0;
  uint64_t key = static_cast<uint64_t>(outcome.step->code);
  key = key * 129 + size_bin(outcome.requested_bytes);
  key = key * 3 + result;
  key = key * 66 + (outcome.skipped ? 0 : reuse_bin(outcome.reuse_distance));
  // Fibonacci hashing: neighbours in the tuple land far apart.
  return static_cast<size_t>((key * 0x9E3779B97F4A7C15u) >> (64 - std::bit_width(kOutcomeCounters - 1)));
}

void OutcomeCounters::on_outcome(const Outcome& outcome) {
  uint8_t& cell = cells_[outcome_cell(outcome)];
  if (cell != 255) ++cell;
}

}  // namespace assay
