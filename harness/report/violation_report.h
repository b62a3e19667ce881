// What a person reads when a promise was broken, and the token by which two of them are told apart.
#pragma once

#include <cstdint>
#include <string>

#include "harness/op/program.h"
#include "harness/oracle/violation.h"

namespace assay {

struct ReportContext {
  std::string subject;
  std::string subject_version;
  std::string flavour;
  std::string mode = "sequential";
  uint64_t seed = 0;
  std::string replay_command;  // exact, to be pasted into a shell
};

// First line `VIOLATION <oracle>: <sentence>`, the program with an arrow at the operation (of a long one, what is
// around it and around the victim's lines), expected, seen, the victim's history, where it was run, how to run it
// again; last line `DEDUP_TOKEN: <token>`. No line end at the end.
std::string violation_text(const Program& program, const Violation& violation, const ReportContext& context);
// The same of a program that is only there as steps: a recorded trace. Reads `steps` up to the operation.
std::string violation_text(StepSource& steps, const Violation& violation, const ReportContext& context);

// `<oracle>-<operation>-<frame>`: "contents-free--" where nothing crashed, "crash-malloc-xi::Page::extend". The
// operation of the program's end is "end". Holds no white space.
std::string dedup_token(const Violation& violation);

}  // namespace assay
