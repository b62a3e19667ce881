// Shorter text for the same program.
#pragma once

#include "harness/op/program.h"

namespace assay {

// Turns each run of at least three neighbouring lines that differ only in their slots, by one constant step, into a
// range: the same calls in the same order. Lines that are ranges already stay as they are.
void fold_ranges(Program& program);

}  // namespace assay
