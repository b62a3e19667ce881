#include "tools/replay_report.h"

#include <fmt/format.h>

#include <string_view>

#include "harness/op/trace.h"
#include "harness/report/violation_report.h"

namespace assay {

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string replay_report(const ReplayInput& input, const ReplayRunner& runner, const ReplayVerdict& verdict,
                          uint64_t seed) {
  ReportContext context;
  context.subject = runner.subject();
  context.subject_version = verdict.subject_version;
  context.flavour = runner.flavour();
  context.mode = name(runner.mode());
  context.seed = seed;
  context.replay_command = fmt::format("./assay replay {} --subject {} --flavour {}", shell_quoted(input.file),
                                       shell_quoted(runner.subject()), runner.flavour());
  if (runner.mode() != Mode::kSequential) context.replay_command += fmt::format(" --mode {}", context.mode);
  if (input.form != Form::kTrace) return violation_text(input.program, verdict.violation, context);
  const TraceFile trace(input.file);
  TraceSteps steps(trace, verdict.trace_process);
  return violation_text(steps, verdict.violation, context);
}

}  // namespace assay
