#include <memory>

#include "harness/exec/scheduled.h"

namespace assay {

RunResult run_in_mode(const Program& program, Mode mode, const Subject& subject, const RunOptions& options) {
  switch (mode) {
    case Mode::kSequential: break;
    case Mode::kSchedule: {
      const auto record = std::make_unique<ScheduleRecord>();
      RunResult result = run_scheduled(program, subject, options, *record);
      result.preemptions = record->preemptions;
      return result;
    }
    case Mode::kFree: return run_free(program, subject, options);
  }
  ProgramSteps steps(program);
  return run_sequential(steps, subject, options);
}

}  // namespace assay
