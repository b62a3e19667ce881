#include "harness/report/export_c/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "harness/oracle/request.h"

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

struct FunctionRow {
  OpCode code;
  std::string_view name, result, parameters;
};
constexpr FunctionRow kFunctions[] = {
#define ASSAY_FUNCTION(operation, name, result, parameters) {OpCode::k##operation, #name, #result, #parameters},
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
};

constexpr std::array<uint64_t, kMaxArgs> kNoNumbers{};

// What a call asks for, as C: its numbers may be drawn in a loop.
struct AskedInC {
  std::string bytes = "1u", alignment = "1u", offset = "0u", arguments;
};

AskedInC asked_in_c(const Operation& line, bool in_loop) {
  AskedInC asked;
  const OpInfo& row = info(line.code);
  for (size_t i = 0; i < row.arg_count(); i++) {
    if (row.args[i] == ArgKind::kSlot) continue;
    const std::string number = value_text(line.args[i], in_loop);
    asked.arguments += (asked.arguments.empty() ? "" : ", ") + number;
    switch (row.args[i]) {
      case ArgKind::kCount:
      case ArgKind::kSize:
      case ArgKind::kSmallSize:
        asked.bytes = asked.bytes == "1u" ? number : fmt::format("product({}, {})", asked.bytes, number);
        break;
      case ArgKind::kAlignment: asked.alignment = number; break;
      case ArgKind::kOffset: asked.offset = number; break;
      default: break;
    }
  }
  return asked;
}

// A function that allocators have beside those of C: looked up by name, and left out where it is not.
std::string looked_up_call(const Operation& line, const FunctionRow& function, const std::string& to,
                           const std::string& from, bool in_loop) {
  const AskedInC asked = asked_in_c(line, in_loop);
  const std::string call = fmt::format("(({} (*){})f)", function.result, function.parameters);
  const std::string begin = fmt::format("{{ void *f = function(\"{}\"); ", function.name);
  switch (info(line.code).result) {
    case ResultKind::kFills:
      return begin +
             fmt::format("int into = {}; if (f != NULL && can_fill(into, {})) filled(into, {}({}), {}, {}, {}, {}); }}",
                         to, asked.bytes, call, asked.arguments, asked.bytes,
                         request_of(line.code, kNoNumbers.data()).zeroed ? 1 : 0, asked.alignment, asked.offset);
    case ResultKind::kMoves:
      return begin + fmt::format(
                         "int into = {}, taken = {}; if (f != NULL && can_move(into, taken, {})) "
                         "moved(into, taken, {}(address_of(taken), {}), {}, {}, {}, {}); }}",
                         to, from, asked.bytes, call, asked.arguments, asked.bytes,
                         line.code == OpCode::kReallocf ? 1 : 0, asked.alignment, asked.offset);
    default:
      return begin + fmt::format(
                         "int taken = {}; if (f != NULL && can_free(taken)) {{ void *address = release(taken); "
                         "{}(address{}); check_between(); }} }}",
                         from, call, line.code == OpCode::kFreeSize ? ", p[taken].requested" : "");
  }
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
  const auto* function = std::ranges::find(kFunctions, line.code, &FunctionRow::code);
  if (is_looked_up(line.code) && function != std::end(kFunctions)) {
    return looked_up_call(line, *function, to, from, in_loop);
  }
  throw InputError{fmt::format("{} has no form in plain C", info(line.code).name)};
}

}  // namespace

std::string c_number(uint64_t value) {
  return value > 0xffffffff ? fmt::format("{:#x}u", value) : fmt::format("{}u", value);
}

bool is_looked_up(OpCode code) {
  switch (code) {
    // Of C, and what calls them by name already.
    case OpCode::kMalloc:
    case OpCode::kCalloc:
    case OpCode::kRealloc:
    case OpCode::kAlignedAlloc:
    case OpCode::kPosixMemalign:
    case OpCode::kFree:
    // What they say beside the block, what they take beside numbers, or a block's alignment.
    case OpCode::kReallocarr:
    case OpCode::kUmalloc:
    case OpCode::kUcalloc:
    case OpCode::kUrealloc:
    case OpCode::kUfree:
    case OpCode::kUmallocSmall:
    case OpCode::kUzallocSmall:
    case OpCode::kUmallocAligned:
    case OpCode::kUzallocAligned:
    case OpCode::kFreeSizeAligned:
    case OpCode::kFreeAligned:
    case OpCode::kStrdup:
    case OpCode::kStrndup:
    case OpCode::kRealpath: return false;
    default: return info(code).result != ResultKind::kNone;
  }
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
