#include "harness/exec/run.h"

namespace assay {

RunResult run_in_mode(const Program& program, Mode mode, const Subject& subject, const RunOptions& options) {
  switch (mode) {
    case Mode::kSequential: break;
    case Mode::kSchedule: throw InputError{"mode 'schedule' is not available in this version"};
    case Mode::kFree: return run_free(program, subject, options);
  }
  ProgramSteps steps(program);
  return run_sequential(steps, subject, options);
}

}  // namespace assay
