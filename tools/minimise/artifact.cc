#include "tools/minimise/artifact.h"

#include <fmt/format.h>

#include "harness/op/trace.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

// About 160 bytes each in memory, and each candidate is a copy.
constexpr uint64_t kMaxTraceLines = 1'000'000;

SlotRange one_slot(const ReplayInput& input, uint64_t slot) {
  if (slot >= kMaxTextSlots) {
    throw InputError{
        fmt::format("{}: more than {} blocks are live: cut it with ./assay import", input.file, kMaxTextSlots)};
  }
  return {.first = static_cast<uint32_t>(slot), .last = static_cast<uint32_t>(slot)};
}

Operation line_of(const ReplayInput& input, const Step& step) {
  Operation line;
  line.code = step.code;
  line.thread = step.thread;
  if (step.result_slot) line.result = one_slot(input, *step.result_slot);
  if (step.slot) line.slot = one_slot(input, *step.slot);
  for (size_t i = 0; i < step.args.size(); i++) line.args[i] = Value::of(step.args[i]);
  return line;
}

}  // namespace

Setting setting_of(const ReplayInput& input, const GlobalOptions& global) {
  const Header& header = input.program.header;
  if (global.subjects.size() > 1) throw InputError{"--subject: one subject at a time"};
  const Mode mode = *find_mode(!global.mode.empty() ? global.mode : header.mode.value_or("sequential"));
  if (input.form == Form::kTrace && mode != Mode::kSequential) {
    throw InputError{fmt::format("{}: a trace runs in mode sequential; cut it with ./assay import", input.file)};
  }
  return {.subject = global.subjects.empty() ? header.subject.value_or("ximalloc") : global.subjects.front(),
          .flavour = !global.flavour.empty() ? global.flavour : header.flavour.value_or(ASSAY_FLAVOUR),
          .mode = mode};
}

Program program_of(const ReplayInput& input, size_t trace_process, uint64_t last_line) {
  if (input.form != Form::kTrace) return input.program;
  const TraceFile trace(input.file);
  TraceSteps steps(trace, trace_process);
  Program program;
  for (Step step; steps.next(step);) {
    if (program.lines.size() == kMaxTraceLines) {
      throw InputError{
          fmt::format("{}: the violation shows only after more than {} operations: cut it with ./assay import",
                      input.file, kMaxTraceLines)};
    }
    program.lines.push_back(line_of(input, step));
    if (step.line == last_line) break;
  }
  if (const auto fault = validate(program, kTextCaps)) throw InputError{fmt::format("{}: {}", input.file, *fault)};
  return program;
}

}  // namespace assay
