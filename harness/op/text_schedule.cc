#include "harness/op/text_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace assay {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"preempt", "stale", "cas_fails"};

uint32_t parse_thread(TextScanner& line) {
  const size_t start = line.position();
  const std::string_view word = line.peek_word();
  if (word.size() < 2 || word[0] != 't' || word.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    line.fail(fmt::format("expected a thread (t0, t1, ...), found {}", line.found()));
  }
  line.accept("t");
  const uint64_t thread = line.number("the thread");
  if (thread >= kMaxTextThreads) {
    line.fail_at(start, fmt::format("thread {} is out of range, 0 to {}", thread, kMaxTextThreads - 1));
  }
  return static_cast<uint32_t>(thread);
}

void expect_word(TextScanner& line, std::string_view word, std::string_view example) {
  if (line.peek_word() != word) line.fail(fmt::format("expected '{}', found {}", example, line.found()));
  line.word();
}

// `(t0, op 5[17], access 2`, where `, access 2` may be missing.
void parse_place(TextScanner& line, ScheduleEvent& event) {
  const std::string_view name = kNames[static_cast<size_t>(event.kind)];
  line.expect("(", fmt::format("after {}", name));
  event.thread = parse_thread(line);
  line.expect(",", "after the thread");
  expect_word(line, "op", "op N");
  event.line = line.number("the operation");
  if (line.accept("[")) {
    event.member = line.number("the member of a range");
    line.expect("]", "after the member of a range");
  }
  if (event.kind == ScheduleKind::kPreempt && !line.looking_at(",")) return;
  line.expect(",", "after the operation");
  expect_word(line, "access", "access N");
  event.access = line.number("the access");
}

}  // namespace

bool ScheduleLines::parse(TextScanner& line) {
  const auto name = std::ranges::find(kNames, line.peek_word());
  if (name == kNames.end()) return false;
  const TextScanner start = line;
  ScheduleEvent event;
  event.kind = static_cast<ScheduleKind>(name - kNames.begin());
  line.word();
  parse_place(line, event);
  if (event.kind == ScheduleKind::kStale) {
    line.expect(",", "after the access");
    event.value = line.number("how many values older");
  }
  line.expect(")", fmt::format("after the arguments of {}", *name));
  if (event.kind == ScheduleKind::kPreempt) {
    line.expect("->", "and the thread that runs then");
    event.value = parse_thread(line);
  }
  if (!line.at_end()) line.fail(fmt::format("expected the end of the line, found {}", line.found()));
  events_.push_back({event, start});
  return true;
}

void ScheduleLines::attach(Program& program) const {
  std::set<std::tuple<uint64_t, uint64_t, uint64_t, ScheduleKind, uint64_t>> places;
  std::vector<ScheduleEvent> events;
  const std::vector<bool> threads = threads_in(program);
  for (const Placed& placed : events_) {
    const ScheduleEvent& event = placed.event;
    if (const auto fault = schedule_fault(program, threads, event)) placed.line.fail_at(placed.line.position(), *fault);
    // Several preemptions at one access happen one after the other.
    const uint64_t thread = event.kind == ScheduleKind::kPreempt ? event.value : 0;
    if (!places.insert({event.line, event.member, event.access, event.kind, thread}).second) {
      placed.line.fail_at(placed.line.position(),
                          fmt::format("a second {} at the same access", kNames[static_cast<size_t>(event.kind)]));
    }
    events.push_back(event);
  }
  if (!events.empty()) set_schedule(program, events);
}

std::string print_event(const ScheduleEvent& event) {
  std::string text = fmt::format("{}(t{}, op {}", kNames[static_cast<size_t>(event.kind)], event.thread, event.line);
  if (event.member != 0) text += fmt::format("[{}]", event.member);
  if (event.access != 0) text += fmt::format(", access {}", event.access);
  switch (event.kind) {
    case ScheduleKind::kPreempt: return text + fmt::format(") -> t{}", event.value);
    case ScheduleKind::kStale: return text + fmt::format(", {})", event.value);
    case ScheduleKind::kCasFails: break;
  }
  return text + ")";
}

}  // namespace assay
