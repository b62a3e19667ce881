// Runs one program in a forked child with a watchdog: what the subject breaks, it breaks there.
#pragma once

#include <cstdint>

#include "harness/exec/run.h"

namespace assay {

struct ChildLimits {
  uint64_t silence_ms = 10'000;  // an operation that takes longer is a hang
  uint64_t total_ms = 600'000;   // and so is a program
};

// As run_sequential; a crash, an abort, an exit or a hang of the child is a violation of that oracle. Only for a
// process of one thread. Throws InputError where `steps` does, and std::runtime_error for a fault of the harness.
RunResult run_in_child(StepSource& steps, const Subject& subject, const RunOptions& options,
                       const ChildLimits& limits = {});

}  // namespace assay
