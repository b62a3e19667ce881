#include "harness/op/validate.h"

#include <fmt/format.h>

#include "harness/op/schedule.h"
#include "harness/op/text.h"

namespace assay {
namespace {

using Fault = std::optional<std::string>;

Fault range_fault(const SlotRange& range, const Caps& caps) {
  if (range.step == 0) return "a range has step 0";
  if (range.last < range.first) return fmt::format("the range p{}..p{} is empty", range.first, range.last);
  if (range.last >= caps.slots) return fmt::format("slot p{} is out of range, 0 to {}", range.last, caps.slots - 1);
  SlotRange normal = range;
  normal.normalise();
  if (normal != range) return "a range is not in its normal form";
  return std::nullopt;
}

Fault value_fault(const Value& value) {
  if (value.high < value.low) return fmt::format("the interval {}..{} is empty", value.low, value.high);
  if (value.single() && value.seed != 0) return "a plain number carries a seed";
  return std::nullopt;
}

Fault name_fault(ArgKind kind, const Value& value) {
  const bool is_one_of_few = is_name(kind) || kind == ArgKind::kOption;
  if (!is_one_of_few || (value.single() && kind == ArgKind::kArena && value.low == kNoName)) return std::nullopt;
  if (value.single() && kind == ArgKind::kHeap && value.low == kNoName) return std::nullopt;
  const uint64_t count = names_heap(kind) ? kMaxHeaps : names_arena(kind) ? kMaxArenas : option_count();
  const char* const what = names_heap(kind) ? "heap" : names_arena(kind) ? "arena" : "option";
  if (!value.single()) return fmt::format("an interval is no {}", what);
  if (value.low >= count) return fmt::format("{} {} is out of range, 0 to {}", what, value.low, count - 1);
  return std::nullopt;
}

Fault failures_fault(const std::vector<Failure>& failures, const Caps& caps) {
  if (failures.size() > caps.failures) return fmt::format("more than {} failures", caps.failures);
  for (size_t i = 0; i < failures.size(); i++) {
    if (const std::string fault = failure_fault(failures[i]); !fault.empty()) return fault;
    for (size_t k = 0; k < i; k++) {
      if (failures[k].call == failures[i].call && failures[k].nth == failures[i].nth) {
        return fmt::format("{}#{} fails twice", name(failures[i].call), failures[i].nth);
      }
    }
  }
  return std::nullopt;
}

Fault operation_fault(const Operation& operation, const Caps& caps) {
  if (find_op(operation.code) == nullptr) {
    return fmt::format("opcode {} is not assigned", static_cast<unsigned>(operation.code));
  }
  const OpInfo& row = info(operation.code);
  if (operation.thread >= caps.threads) {
    return fmt::format("thread t{} is out of range, 0 to {}", operation.thread, caps.threads - 1);
  }
  const bool fills = row.result == ResultKind::kFills || row.result == ResultKind::kMoves;
  if (fills != operation.result.has_value()) return fmt::format("{} {} a result", row.name, fills ? "lacks" : "has");
  if (operation.slot && !row.slot_arg()) return fmt::format("{} takes no slot", row.name);
  if (operation.result) {
    if (Fault fault = range_fault(*operation.result, caps)) return fault;
  }
  if (operation.slot) {
    if (Fault fault = range_fault(*operation.slot, caps)) return fault;
  }
  if (operation.result && operation.slot && operation.result->members() != operation.slot->members()) {
    return "the slots of both sides do not pair";
  }
  for (size_t i = 0; i < row.args.size(); i++) {
    if (Fault fault = name_fault(row.args[i], operation.args[i])) return fault;
    const bool is_number = row.args[i] != ArgKind::kNothing && row.args[i] != ArgKind::kSlot;
    if (!is_number && operation.args[i] != Value{}) return fmt::format("argument {} of {} is no number", i, row.name);
    if (Fault fault = value_fault(operation.args[i])) return fault;
  }
  if (row.precondition == Precondition::kLastLine && operation.thread != 0)
    return fmt::format("{} runs on t0", row.name);
  return failures_fault(operation.fails, caps);
}

Fault schedule_line_fault(const Operation& operation, const Caps& caps) {
  const std::vector<AccessEvent>& events = operation.schedule;
  if (events.size() > caps.events) return fmt::format("more than {} lines of the schedule", caps.events);
  for (size_t i = 0; i < events.size(); i++) {
    if (i > 0 && events[i - 1].key() > events[i].key()) return "its schedule is not in order";
    for (size_t j = i; j > 0 && events[j - 1].key() == events[i].key(); --j) {
      if (events[j - 1].is_as(events[i])) return "its schedule says something twice";
    }
    if (events[i].access > caps.accesses) return fmt::format("access {} is above {}", events[i].access, caps.accesses);
    if (events[i].kind == ScheduleKind::kStale && events[i].value > caps.events) {
      return fmt::format("a value that is {} older is older than {}", events[i].value, caps.events);
    }
  }
  return std::nullopt;
}

Fault header_line_fault(std::string_view key, const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  std::string fault = header_fault(key, *value);
  return fault.empty() ? std::nullopt : Fault(std::move(fault));
}

}  // namespace

std::optional<std::string> validate(const Program& program, const Caps& caps) {
  if (Fault fault = header_line_fault("flavour", program.header.flavour)) return fault;
  if (Fault fault = header_line_fault("mode", program.header.mode)) return fault;
  if (Fault fault = header_line_fault("subject", program.header.subject)) return fault;
  if (Fault fault = header_line_fault("expect", program.header.expect)) return fault;
  uint64_t operations = 0;
  for (size_t i = 0; i < program.lines.size(); i++) {
    if (Fault fault = operation_fault(program.lines[i], caps)) return fmt::format("op {}: {}", i, *fault);
    if (info(program.lines[i].code).precondition == Precondition::kLastLine && i + 1 != program.lines.size()) {
      return fmt::format("op {}: {} is the last line", i, info(program.lines[i].code).name);
    }
    operations += program.lines[i].members();
    if (operations > caps.operations) return fmt::format("op {}: more than {} operations", i, caps.operations);
    if (Fault fault = schedule_line_fault(program.lines[i], caps)) return fmt::format("op {}: {}", i, *fault);
  }
  if (!has_schedule(program)) return std::nullopt;
  const std::vector<bool> threads = threads_in(program);
  for (const ScheduleEvent& event : schedule_of(program)) {
    if (Fault fault = schedule_fault(program, threads, event)) return fmt::format("op {}: {}", event.line, *fault);
  }
  return std::nullopt;
}

}  // namespace assay
