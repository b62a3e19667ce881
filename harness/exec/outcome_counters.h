// Coverage for subjects that have no counters of their own: what each call did, as a set of small counters. An engine
// that sees a counter for the first time, or more often than before, keeps the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "harness/exec/run.h"

namespace assay {

// A power of two; about 13 operations x 40 size bins x 3 outcomes x 9 reuse distances share these cells by a hash.
inline constexpr size_t kOutcomeCounters = size_t{1} << 14;

// Counts into memory that it is given and does not own; counters saturate at 255.
class OutcomeCounters final : public OutcomeObserver {
 public:
  using Cells = std::array<uint8_t, kOutcomeCounters>;

  explicit OutcomeCounters(Cells& cells) : cells_(cells) {}
  void on_outcome(const Outcome& outcome) override;

 private:
  Cells& cells_;
};

// The cell that an outcome falls into: operation x size bin x outcome x reuse distance.
size_t outcome_cell(const Outcome& outcome);

}  // namespace assay
