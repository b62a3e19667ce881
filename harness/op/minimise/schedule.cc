// The minimiser's pass on the schedule.
#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

bool try_without_any(Candidates& candidates) {
  Program candidate = candidates.best();
  for (Operation& line : candidate.lines) line.schedule.clear();
  return candidates.accept(std::move(candidate));
}

bool try_without(Candidates& candidates, size_t line, size_t event) {
  Program candidate = candidates.best();
  std::vector<AccessEvent>& events = candidate.lines[line].schedule;
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(event));
  return candidates.accept(std::move(candidate));
}

bool try_event(Candidates& candidates, size_t line, size_t event, const AccessEvent& other) {
  Program candidate = candidates.best();
  candidate.lines[line].schedule[event] = other;
  return candidates.accept(std::move(candidate));
}

// Before the operation reads best; else as early as it may be; else at the access where it was.
void move_earlier(Candidates& candidates, size_t line, size_t event) {
  const AccessEvent original = candidates.lines()[line].schedule[event];
  const uint64_t earliest = original.kind == ScheduleKind::kPreempt ? 0 : 1;
  AccessEvent earlier = original;
  for (earlier.access = earliest; earlier.access < original.access && !candidates.stopped();) {
    if (try_event(candidates, line, event, earlier)) return;
    // Every access of short ways, some of long ones.
    earlier.access += 1 + earlier.access / 16;
  }
}

void make_less_stale(Candidates& candidates, size_t line, size_t event) {
  AccessEvent less = candidates.lines()[line].schedule[event];
  if (less.kind != ScheduleKind::kStale) return;
  while (less.value > 1) {
    less.value = less.value / 2;
    if (!try_event(candidates, line, event, less)) return;
  }
}

}  // namespace

void simplify_schedule(Candidates& candidates) {
  candidates.begin_pass("schedule");
  if (try_without_any(candidates)) return;
  for (size_t line = candidates.lines().size(); line-- > 0 && !candidates.stopped();) {
    for (size_t event = candidates.lines()[line].schedule.size(); event-- > 0 && !candidates.stopped();) {
      try_without(candidates, line, event);
    }
  }
  for (size_t line = 0; line < candidates.lines().size() && !candidates.stopped(); line++) {
    // An event that moved may have taken the place of another.
    for (size_t event = 0; event < candidates.lines()[line].schedule.size() && !candidates.stopped(); event++) {
      move_earlier(candidates, line, event);
      if (event < candidates.lines()[line].schedule.size()) make_less_stale(candidates, line, event);
    }
  }
}

}  // namespace assay
