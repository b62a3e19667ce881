// The last words of a process that runs programs: a signal, an abort, an exit or a sanitizer's report inside the
// subject becomes a Violation in memory that another process reads.
#pragma once

#include "harness/exec/run.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// Installs handlers for the whole process, on an alternate stack of the calling thread (the executor gives its threads
// their own). `progress` and `crash` lie in shared memory and outlive the process; `crash` is written once, and left
// alone when the fault is outside any call into the subject and any block of its: that is a fault of the harness
// (or of a subject that damages what is not its own), and the process dies of the signal.
void install_crash_handlers(const Subject& subject, const Progress& progress, Violation& crash);

}  // namespace assay
