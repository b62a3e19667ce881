// Changes to programs for a fuzzing engine, made on operations rather than on bytes, so that each keeps most of what
// the program did. Both are functions of their arguments: the same seed gives the same program.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/op/program.h"

namespace assay {

struct MutateOptions {
  bool schedules = false;  // programs of more than one thread get schedules, also where there is none yet
  bool heaps = false;      // programs may be about heaps, also where there is none yet
};

// One to four changes. Needs a program within the caps of the byte form; the result is, and encodes within `max_bytes`.
Program mutate(const Program& program, uint64_t seed, size_t max_bytes, const MutateOptions& options = {});

// A program made of two: one behind the other, one inside the other, or both at once on different slots and threads.
Program crossover(const Program& first, const Program& second, uint64_t seed, size_t max_bytes);

}  // namespace assay
