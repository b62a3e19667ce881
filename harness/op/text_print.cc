#include <fmt/format.h>

#include <iterator>

#include "harness/op/form.h"
#include "harness/op/text.h"
#include "harness/op/text_schedule.h"

namespace assay {
namespace {

using Out = fmt::memory_buffer;

void print_range(Out& out, const SlotRange& range) {
  fmt::format_to(std::back_inserter(out), "p{}", range.first);
  if (range.first != range.last) fmt::format_to(std::back_inserter(out), "..p{}", range.last);
  if (range.step != 1) fmt::format_to(std::back_inserter(out), " step {}", range.step);
  if (range.half_seed) fmt::format_to(std::back_inserter(out), " half {}", *range.half_seed);
}

void print_value(Out& out, const Value& value) {
  fmt::format_to(std::back_inserter(out), "{}", value.low);
  if (!value.single()) fmt::format_to(std::back_inserter(out), "..{} seed {}", value.high, value.seed);
}

void print_argument(Out& out, ArgKind kind, const Value& value) {
  if (kind == ArgKind::kOption) {
    fmt::format_to(std::back_inserter(out), "{}", option_name(value.low));
  } else if (kind == ArgKind::kOptionValue && value.single()) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<int64_t>(value.low));
  } else if (!is_name(kind)) {
    print_value(out, value);
  } else if (value.low == kNoName) {
    fmt::format_to(std::back_inserter(out), "NULL");
  } else {
    fmt::format_to(std::back_inserter(out), "{}{}", names_heap(kind) ? 'h' : 'a', value.low);
  }
}

void print_operation(Out& out, const Operation& operation) {
  const OpInfo& row = info(operation.code);
  const size_t first = is_made(row.args[0]) ? 1 : 0;
  if (first != 0) {
    print_argument(out, row.args[0], operation.args[0]);
    fmt::format_to(std::back_inserter(out), " = ");
  }
  if (operation.result) {
    print_range(out, *operation.result);
    fmt::format_to(std::back_inserter(out), " = ");
  }
  fmt::format_to(std::back_inserter(out), "{}(", row.name);
  for (size_t i = first; i < row.arg_count(); i++) {
    if (i > first) fmt::format_to(std::back_inserter(out), ", ");
    if (row.args[i] != ArgKind::kSlot) {
      print_argument(out, row.args[i], operation.args[i]);
    } else if (operation.slot) {
      print_range(out, *operation.slot);
    } else {
      fmt::format_to(std::back_inserter(out), "NULL");
    }
  }
  out.push_back(')');
  if (operation.thread != 0) fmt::format_to(std::back_inserter(out), " @t{}", operation.thread);
  if (operation.fails.empty()) return;
  fmt::format_to(std::back_inserter(out), " (fail: ");
  for (size_t i = 0; i < operation.fails.size(); i++) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ", ", print_failure(operation.fails[i]));
  }
  out.push_back(')');
}

}  // namespace

std::string print_line(const Operation& operation) {
  Out out;
  print_operation(out, operation);
  return fmt::to_string(out);
}

std::string print_text(const Program& program) {
  Out out;
  fmt::format_to(std::back_inserter(out), "assay {}\n", kTextVersion);
  const auto header = [&out](std::string_view key, const std::optional<std::string>& value) {
    if (value) fmt::format_to(std::back_inserter(out), "{}: {}\n", key, *value);
  };
  header("flavour", program.header.flavour);
  header("mode", program.header.mode);
  header("subject", program.header.subject);
  header("expect", program.header.expect);
  for (const Operation& operation : program.lines) {
    print_operation(out, operation);
    out.push_back('\n');
  }
  for (const ScheduleEvent& event : schedule_of(program)) {
    fmt::format_to(std::back_inserter(out), "{}\n", print_event(event));
  }
  return fmt::to_string(out);
}

}  // namespace assay
