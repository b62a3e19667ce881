#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/op/form.h"
#include "harness/op/text.h"
#include "harness/op/text_scanner.h"
#include "harness/op/text_schedule.h"

namespace assay {
namespace {

uint32_t bounded(TextScanner& line, size_t start, uint64_t number, uint32_t bound, std::string_view what) {
  if (number >= bound) line.fail_at(start, fmt::format("{} {} is out of range, 0 to {}", what, number, bound - 1));
  return static_cast<uint32_t>(number);
}

// Whether the next word is `letter` and digits, as p12 and t3 are.
bool at_numbered(const TextScanner& line, char letter) {
  const std::string_view word = line.peek_word();
  return word.size() >= 2 && word[0] == letter && word.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

uint32_t parse_slot(TextScanner& line) {
  const size_t start = line.position();
  if (!at_numbered(line, 'p')) line.fail(fmt::format("expected a slot (p0, p1, ...), found {}", line.found()));
  line.accept("p");
  return bounded(line, start, line.number("the slot"), kMaxTextSlots, "slot");
}

SlotRange parse_slots(TextScanner& line) {
  SlotRange range;
  const size_t start = line.position();
  range.first = range.last = parse_slot(line);
  const bool is_range = line.accept("..");
  if (is_range) range.last = parse_slot(line);
  if (range.last < range.first) {
    line.fail_at(start,
                 fmt::format("the range p{}..p{} is empty: its first slot comes first", range.first, range.last));
  }
  for (bool step_seen = false, half_seen = false;;) {
    const size_t modifier = line.position();
    const std::string_view word = line.peek_word();
    if (word != "step" && word != "half") break;
    if (!is_range) line.fail(fmt::format("{} is for a range of slots, p{}..pN", quoted(word), range.first));
    if (word == "step" ? step_seen || half_seen : half_seen) {
      line.fail(fmt::format("{} stands once behind a range, 'step' before 'half'", quoted(word)));
    }
    line.word();
    if (word == "step") {
      step_seen = true;
      const uint64_t step = line.number("the step");
      if (step == 0) line.fail_at(modifier, "a step of 0 never reaches the end of the range");
      range.step = bounded(line, modifier, step, kMaxTextSlots, "step");
    } else {
      half_seen = true;
      range.half_seed = line.number("the seed of half");
    }
  }
  range.normalise();
  return range;
}

Value parse_value(TextScanner& line, std::string_view what) {
  const size_t start = line.position();
  Value value = Value::of(line.number(what));
  if (!line.accept("..")) return value;
  value.high = line.number(what);
  if (value.high < value.low) {
    line.fail_at(start, fmt::format("the interval {}..{} is empty: its lower end comes first", value.low, value.high));
  }
  if (line.peek_word() == "seed") {
    line.word();
    value.seed = line.number("the seed");
  }
  return value.single() ? Value::of(value.low) : value;
}

std::string_view kind_name(ArgKind kind) {
  switch (kind) {
    case ArgKind::kNothing: return "nothing";
    case ArgKind::kSize: return "a size";
    case ArgKind::kCount: return "a count";
    case ArgKind::kAlignment: return "an alignment";
    case ArgKind::kSlot: return "a slot or NULL";
    case ArgKind::kMillis: return "a time in milliseconds";
    case ArgKind::kFlag: return "a flag";
    case ArgKind::kOffset: return "an offset";
    case ArgKind::kSmallSize: return "a small size";
    case ArgKind::kLength: return "the length of a string";
    case ArgKind::kHeap: return "a heap or NULL";
    case ArgKind::kArena: return "an arena or NULL";
    case ArgKind::kNewHeap: return "a heap";
    case ArgKind::kNewArena: return "an arena";
    case ArgKind::kArenaSize: return "the size of an arena";
    case ArgKind::kTag: return "a tag";
    case ArgKind::kOption: return "an option";
    case ArgKind::kOptionValue: return "the value of an option";
  }
  return "nothing";
}

char letter_of(ArgKind kind) {
  return names_heap(kind) ? 'h' : 'a';
}

// h0 or a0, where `kind` says so.
Value parse_name(TextScanner& line, ArgKind kind) {
  const size_t start = line.position();
  const char letter = letter_of(kind);
  if (!at_numbered(line, letter)) {
    line.fail(fmt::format("expected {} ({}0, {}1, ...){}, found {}", names_heap(kind) ? "a heap" : "an arena", letter,
                          letter, is_made(kind) ? "" : " or NULL", line.found()));
  }
  line.accept(std::string_view(&letter, 1));
  const char* const what = names_heap(kind) ? "heap" : "arena";
  return Value::of(bounded(line, start, line.number(what), names_heap(kind) ? kMaxHeaps : kMaxArenas, what));
}

Value parse_option(TextScanner& line) {
  const std::string_view name = line.peek_word();
  const std::optional<uint64_t> option = find_option(name);
  if (!option) line.fail(fmt::format("unknown option {}", name.empty() ? line.found() : quoted(name)));
  line.word();
  return Value::of(*option);
}

// An argument that stands between the parentheses and takes no slot.
Value parse_argument(TextScanner& line, ArgKind kind) {
  if (kind == ArgKind::kOption) return parse_option(line);
  if (kind == ArgKind::kOptionValue && line.accept("-")) return Value::of(0 - line.number(kind_name(kind)));
  if (!is_name(kind)) return parse_value(line, kind_name(kind));
  if (line.peek_word() != "NULL") return parse_name(line, kind);
  line.word();
  return Value::of(kNoName);
}

void parse_arguments(TextScanner& line, const OpInfo& row, Operation& operation) {
  line.expect("(", fmt::format("after {}", row.name));
  const size_t first = is_made(row.args[0]) ? 1 : 0;
  const size_t count = row.arg_count() - first;
  for (size_t i = first; i < row.arg_count(); i++) {
    if (i > first && !line.accept(",")) {
      line.fail(fmt::format("expected ',' and {}, {} has {} arguments; found {}", kind_name(row.args[i]), row.name,
                            count, line.found()));
    }
    if (row.args[i] != ArgKind::kSlot) {
      operation.args[i] = parse_argument(line, row.args[i]);
    } else if (line.peek_word() == "NULL") {
      line.word();
    } else {
      if (!at_numbered(line, 'p'))
        line.fail(fmt::format("expected a slot (p0, p1, ...) or NULL, found {}", line.found()));
      operation.slot = parse_slots(line);
    }
  }
  line.expect(")", fmt::format("after the {} argument{} of {}", count, count == 1 ? "" : "s", row.name));
}

uint32_t parse_thread(TextScanner& line) {
  if (!line.accept("@")) return 0;
  const size_t start = line.position();
  if (!at_numbered(line, 't')) line.fail(fmt::format("expected a thread (t0, t1, ...), found {}", line.found()));
  line.accept("t");
  return bounded(line, start, line.number("the thread"), kMaxTextThreads, "thread");
}

// `(fail: mmap#1, mprotect#2+=EPERM)` behind an operation.
void parse_failures(TextScanner& line, std::vector<Failure>& failures) {
  if (!line.accept("(")) return;
  if (line.peek_word() != "fail") line.fail(fmt::format("expected 'fail:', found {}", line.found()));
  line.word();
  line.expect(":", "after fail");
  do {
    const size_t start = line.position();
    Failure failure;
    std::string fault;
    size_t at = 0;
    if (!parse_failure(line.token(",)"), failure, fault, at)) line.fail_at(start + at, fault);
    const auto same = [&failure](const Failure& other) {
      return other.call == failure.call && other.nth == failure.nth;
    };
    if (std::ranges::any_of(failures, same)) {
      line.fail_at(start, fmt::format("{}#{} fails twice", name(failure.call), failure.nth));
    }
    if (failures.size() == kMaxFailures) line.fail_at(start, fmt::format("more than {} failures", kMaxFailures));
    failures.push_back(failure);
  } while (line.accept(","));
  line.expect(")", "after the failures");
}

Operation parse_operation(TextScanner& line) {
  Operation operation;
  const size_t start = line.position();
  ArgKind made = ArgKind::kNothing;
  if (at_numbered(line, 'h')) made = ArgKind::kNewHeap;
  if (at_numbered(line, 'a')) made = ArgKind::kNewArena;
  if (made != ArgKind::kNothing) {
    operation.args[0] = parse_name(line, made);
    line.expect("=", fmt::format("after {} that is made", kind_name(made)));
  } else if (at_numbered(line, 'p')) {
    operation.result = parse_slots(line);
    line.expect("=", "after the slot that is filled");
  }
  const size_t name_start = line.position();
  const std::string_view name = line.peek_word();
  if (name.empty()) line.fail(fmt::format("expected an operation, found {}", line.found()));
  const OpInfo* row = find_op(name);
  if (row == nullptr) line.fail(fmt::format("unknown operation {}", quoted(name)));
  line.word();
  operation.code = row->code;
  const bool fills = row->result == ResultKind::kFills || row->result == ResultKind::kMoves;
  if (fills && !operation.result)
    line.fail_at(name_start, fmt::format("the result of {} needs a slot: pN = {}(...)", name, name));
  if (!fills && operation.result) line.fail_at(start, fmt::format("{} has no result to put into a slot", name));
  if (is_made(row->args[0]) && made != row->args[0]) {
    line.fail_at(name_start, fmt::format("the result of {} needs {}: {}N = {}(...)", name, kind_name(row->args[0]),
                                         letter_of(row->args[0]), name));
  }
  if (!is_made(row->args[0]) && made != ArgKind::kNothing) {
    line.fail_at(start, fmt::format("{} makes no {}", name, names_heap(made) ? "heap" : "arena"));
  }
  parse_arguments(line, *row, operation);
  operation.thread = parse_thread(line);
  if (row->precondition == Precondition::kLastLine && operation.thread != 0) {
    line.fail_at(start, fmt::format("{} runs on t0", row->name));
  }
  parse_failures(line, operation.fails);
  if (!line.at_end()) line.fail(fmt::format("expected the end of the line, found {}", line.found()));
  if (operation.result && operation.slot && operation.result->members() != operation.slot->members()) {
    line.fail_at(start, fmt::format("{} slots to the left of '=' and {} to the right do not pair",
                                    operation.result->members(), operation.slot->members()));
  }
  return operation;
}

std::optional<std::string>* header_field(Header& header, std::string_view key) {
  if (key == "flavour") return &header.flavour;
  if (key == "mode") return &header.mode;
  if (key == "subject") return &header.subject;
  if (key == "expect") return &header.expect;
  return nullptr;
}

// True when the line was a header line.
bool parse_header_line(TextScanner& line, Program& program) {
  const size_t start = line.position();
  TextScanner ahead = line;
  const std::string_view key = ahead.word();
  if (key.empty() || !ahead.accept(":")) return false;
  std::optional<std::string>* field = header_field(program.header, key);
  if (field == nullptr)
    line.fail(fmt::format("unknown header line {}; known: flavour, mode, subject, expect", quoted(key)));
  if (!program.lines.empty())
    line.fail(fmt::format("header line {} must stand before the first operation", quoted(key)));
  if (*field) line.fail_at(start, fmt::format("header line {} stands here a second time", quoted(key)));
  line = ahead;
  const size_t value_start = line.position();
  const std::string_view value = line.rest();
  const std::string fault = header_fault(key, value);
  if (!fault.empty()) line.fail_at(value_start, fault);
  *field = std::string(value);
  return true;
}

void parse_first_line(TextScanner& line) {
  if (line.word() != "assay") line.fail_at(0, fmt::format("the first line must be 'assay {}'", kTextVersion));
  const size_t start = line.position();
  const uint64_t version = line.number("the version of the text form");
  if (version != kTextVersion) {
    line.fail_at(start,
                 fmt::format("version {} of the text form is not known, only version {}", version, kTextVersion));
  }
  if (!line.at_end()) line.fail(fmt::format("expected the end of the line, found {}", line.found()));
}

}  // namespace

std::string header_fault(std::string_view key, std::string_view value) {
  if (value.empty()) return fmt::format("header line {} has no value", quoted(key));
  for (size_t i = 0; i < value.size(); i++) {
    const bool starts_comment = value[i] == '#' && (i == 0 || value[i - 1] == ' ');
    if (value[i] < ' ' || value[i] > '~' || starts_comment) {
      return fmt::format("header line {} has a character that cannot stand there: {}", quoted(key),
                         quoted(value.substr(i, 1)));
    }
  }
  if (value.front() == ' ' || value.back() == ' ')
    return fmt::format("the value of {} has blanks around it", quoted(key));
  if (key == "mode" && !find_mode(value)) {
    return fmt::format("unknown mode {}; known: sequential, schedule, free", quoted(value));
  }
  return {};
}

Program parse_text(std::string_view text, std::string_view file_name) {
  Program program;
  ScheduleLines schedule;
  uint64_t line_number = 0;
  do {
    const size_t end = text.find('\n');
    TextScanner line(file_name, ++line_number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line_number == 1) {
      parse_first_line(line);
    } else if (!line.at_end() && !parse_header_line(line, program) && !schedule.parse(line)) {
      if (!program.lines.empty() && program.lines.back().code == OpCode::kEnd) {
        line.fail("an operation stands behind end()");
      }
      program.lines.push_back(parse_operation(line));
    }
  } while (!text.empty());
  schedule.attach(program);
  return program;
}

}  // namespace assay
