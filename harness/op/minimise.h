// The shortest program for which a predicate still holds. Works on the program and not on its bytes, so that what is
// dropped are operations, slots, threads and digits; the predicate (usually: a child that runs the program and finds
// the same violation) is the caller's, so this file knows neither subjects nor oracles.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "harness/op/program.h"

namespace assay {

// True when the candidate still shows what is being minimised. Asked at most once for each distinct program; must not
// depend on the header lines, which no pass touches.
using StillFails = std::function<bool(const Program& candidate)>;

struct MinimiseProgress {
  const char* pass;     // what is being tried: "tail", "closure", "lines", ...
  uint64_t operations;  // of the best program so far
  uint64_t lines;
  uint64_t tries;  // predicate calls so far
};

struct MinimiseOptions {
  // Where the violation showed in the original, when that is known: what follows is dropped first.
  std::optional<uint64_t> guilty_line;
  // A slot that must stay besides those of the guilty line: the block that suffered.
  std::optional<uint64_t> victim_slot;
  // Called before each try; returning false stops with the best program so far.
  std::function<bool(const MinimiseProgress&)> progress;
};

struct MinimiseResult {
  Program program;
  uint64_t tries = 0;
  bool stopped_early = false;  // progress() said so
};

// `program` itself must satisfy the predicate. The result is well-formed and satisfies it; unless stopped early it is a
// local minimum: none of the passes in harness/op/minimise/ finds anything to take away.
MinimiseResult minimise(const Program& program, const StillFails& still_fails, const MinimiseOptions& options);

}  // namespace assay
