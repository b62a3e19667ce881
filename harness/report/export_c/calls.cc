#include "harness/report/export_c/calls.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "harness/report/export_c/looked_up.h"

namespace assay {
namespace {

std::string value_text(const Value& value, bool in_loop) {
  if (value.single()) return c_number(value.low);
  if (!in_loop) return c_number(value.at(0));
  return fmt::format("drawn({}, {}, {}, i)", c_number(value.low), c_number(value.high), c_number(value.seed));
}

std::string slot_text(const SlotRange& range, std::string_view half_name) {
  if (range.half_seed) return fmt::format("next_of_half(&{})", half_name);
  if (range.single()) return fmt::format("{}", range.first);
  const std::string offset = range.first == 0 ? "" : fmt::format("{} + ", range.first);
  return range.step == 1 ? offset + "i" : fmt::format("{}{} * i", offset, range.step);
}

// Walks the slots of a random half in the same order as the program does.
std::string half_declaration(const std::optional<SlotRange>& range, std::string_view name) {
  if (!range || !range->half_seed) return "";
  return fmt::format("        struct half {} = {{{}, {}, {}, {}, {}, 0}};\n", name, c_number(*range->half_seed),
                     range->first, range->step, range->span(), range->members());
}

std::string single_call(const Operation& line, bool in_loop) {
  const std::string to = line.result ? slot_text(*line.result, "to") : "NONE";
  const std::string from = line.slot ? slot_text(*line.slot, "from") : "NONE";
  const auto number = [&](size_t i) { return value_text(line.args[i], in_loop); };
  switch (line.code) {
    case OpCode::kMalloc: return fmt::format("do_malloc({}, {});", to, number(0));
    case OpCode::kCalloc: return fmt::format("do_calloc({}, {}, {});", to, number(0), number(1));
    case OpCode::kRealloc: return fmt::format("do_realloc({}, {}, {});", to, from, number(1));
    case OpCode::kAlignedAlloc: return fmt::format("do_aligned_alloc({}, {}, {});", to, number(0), number(1));
    case OpCode::kPosixMemalign: return fmt::format("do_posix_memalign({}, {}, {});", to, number(0), number(1));
    case OpCode::kFree: return fmt::format("do_free({});", from);
    case OpCode::kUsableSize: return fmt::format("do_usable_size({});", from);
    case OpCode::kCollect: return "do_collect();";
    case OpCode::kAdvanceClock: return fmt::format("wait_ms({});", number(0));
    case OpCode::kFork: return "do_fork();";
    case OpCode::kCheck: return fmt::format("do_check({});", from);
    case OpCode::kCheckAll: return "check_all();";
    case OpCode::kOsHeal:
    case OpCode::kEnd:
    case OpCode::kThreadExit: return "";
    default: break;
  }
  if (is_looked_up(line.code)) {
    std::vector<std::string> numbers;
    for (size_t i = 0; i < info(line.code).arg_count(); i++) {
      if (info(line.code).args[i] != ArgKind::kSlot) numbers.push_back(number(i));
    }
    return looked_up_call(line.code, {.to = to, .from = from, .numbers = std::move(numbers)});
  }
  throw InputError{fmt::format("{} has no form in plain C", info(line.code).name)};
}

}  // namespace

std::string c_number(uint64_t value) {
  return value > 0xffffffff ? fmt::format("{:#x}u", value) : fmt::format("{}u", value);
}

bool stands_in_loop(const Operation& line) {
  const bool half = (line.result && line.result->half_seed) || (line.slot && line.slot->half_seed);
  return line.members() > 1 || half;
}

std::string c_call(const Operation& line) {
  if (!line.fails.empty()) {
    throw InputError{fmt::format("{} that fails in {} has no form in plain C", print_failure(line.fails.front()),
                                 info(line.code).name)};
  }
  const std::string halves = half_declaration(line.result, "to") + half_declaration(line.slot, "from");
  const bool in_loop = stands_in_loop(line);
  const std::string call = single_call(line, in_loop);
  if (call.empty()) return "";
  if (!in_loop) return "    " + call + "\n";
  const std::string loop = fmt::format("for (unsigned i = 0; i < {}; i++)", c_number(line.members()));
  if (halves.empty()) return fmt::format("    {}\n        {}\n", loop, call);
  return fmt::format("    {{\n{}        {}\n            {}\n    }}\n", halves, loop, call);
}

}  // namespace assay
