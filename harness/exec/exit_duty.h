// What programs do when a thread ends: destructors of thread-local storage that allocate and free, before or after the
// allocator's own has run.
#pragma once

#include "harness/exec/run.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// One for each thread that has it; outlives the thread.
struct ExitDuty {
  const Subject* subject = nullptr;
  Progress* progress = nullptr;
  Violation* violation = nullptr;  // filled in when a block of the destructor is not what it must be
  void (*on_violation)(void* context) = nullptr;
  void* context = nullptr;
};

// The calling thread will, at its end, allocate two blocks, fill them, check them and free them.
void take_exit_duty(ExitDuty& duty);

}  // namespace assay
