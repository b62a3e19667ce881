// Whatever shows a violation (a crash file of an engine, text, a trace), as a program that can be changed.
#pragma once

#include <string>

#include "harness/op/program.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {

// Where a program runs: an option beats a header line, a header line beats the default.
struct Setting {
  std::string subject;
  std::string flavour;
  Mode mode = Mode::kSequential;
};
// Throws InputError for several subjects, and for a trace in another mode than sequential.
Setting setting_of(const ReplayInput& input, const GlobalOptions& global);

// The program itself; of a trace, what its process `trace_process` did up to `last_line` (all of it: kNoOperation).
// Throws InputError when that does not fit into the text form.
Program program_of(const ReplayInput& input, size_t trace_process, uint64_t last_line);

}  // namespace assay
