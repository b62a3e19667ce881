// Coverage counters of a shared object under test that was compiled with -fsanitize-coverage: this process is what its
// callbacks bind to. Understands inline-8bit-counters, trace-pc-guard and trace-pc (gcc's).
#pragma once

#include <cstddef>

#include "harness/exec/outcome_counters.h"

namespace assay {

// How many counters are known; of trace-pc, how many were ever hit.
size_t foreign_counters();

// Before a program, and after it: what was counted in between is added to the cells, each counter to the one that its
// number falls into.
void clear_foreign_counters();
void add_foreign_counters(OutcomeCounters::Cells& cells);

}  // namespace assay
