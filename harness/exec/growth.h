// The footprint oracle of a subject that has no seam to be asked at: the same program, run again and again, must not
// take more and more memory from the system. One that never gives anything back is legal.
#pragma once

#include "harness/exec/run.h"

namespace assay {

// Runs `program` many times (a few tenths of a second in all) in this process and compares what the process holds after
// each of several equal stretches; false and a violation when it grew in every one. True for subjects with a seam,
// where run_sequential has checked already, and for programs that cannot be judged (they fork, or a run of them was not
// clean). Only after a run that was clean, in a process that runs nothing else.
bool check_growth(const Program& program, const Subject& subject, const RunOptions& options, Violation& violation);

}  // namespace assay
