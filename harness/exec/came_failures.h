// Which failures of a program came while it ran, written down the moment they do, so that it is known of a process that
// died of one. Lies in memory that all processes of a run share.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/op/program.h"

namespace assay {

struct CameFailure {
  static constexpr uint32_t kOfEnd = UINT32_MAX;

  uint32_t line;   // or kOfEnd
  uint32_t index;  // of the failures of that line
};

class CameFailures {
 public:
  // Two for each operation of a program in the byte form.
  static constexpr uint64_t kRoom = 2 * kMaxOperations;

  void clear() { count_.store(0, std::memory_order_relaxed); }
  // From any thread or process; what finds no room is as if it had not come. `line` is kNoOperation for end().
  void note(uint64_t line, uint32_t index);
  std::vector<CameFailure> all() const;

 private:
  std::atomic<uint64_t> count_{0};
  std::array<CameFailure, kRoom> entries_{};
};

// The program without the failures that did not come: it does what it did, and a replay does not object to it.
Program without_dead_failures(const Program& program, std::span<const CameFailure> came);

}  // namespace assay
