#include "harness/op/schedule.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {

bool exists(const std::vector<bool>& threads, uint64_t thread) {
  return thread < threads.size() && threads[thread];
}

std::optional<std::string> event_fault(const Operation& line, const AccessEvent& event,
                                       const std::vector<bool>& threads) {
  if (event.member >= line.members()) {
    return fmt::format("that operation has {} member{}, the last is [{}]", line.members(),
                       line.members() == 1 ? "" : "s", line.members() - 1);
  }
  if (event.access == 0 && event.kind != ScheduleKind::kPreempt) return "accesses are counted from 1";
  switch (event.kind) {
    case ScheduleKind::kPreempt:
      if (!exists(threads, event.value)) return fmt::format("there is no thread t{} in this program", event.value);
      if (event.value == line.thread) return fmt::format("t{} cannot preempt itself", event.value);
      break;
    case ScheduleKind::kStale:
      if (event.value == 0) return "a stale value is at least 1 older";
      break;
    case ScheduleKind::kCasFails:
      if (event.value != 0) return "a failing exchange has no value";
      break;
  }
  return std::nullopt;
}

void sort_events(std::vector<AccessEvent>& events) {
  // Into place one by one: preemptions at one access stay in the order in which they happen.
  std::vector<AccessEvent> sorted;
  for (const AccessEvent& event : events) {
    const auto same = [&event](const AccessEvent& other) { return other.is_as(event); };
    if (std::ranges::any_of(sorted, same)) continue;
    const auto behind = [&event](const AccessEvent& other) { return event.key() < other.key(); };
    sorted.insert(std::ranges::find_if(sorted, behind), event);
  }
  events = std::move(sorted);
}

// The next thread from `wanted` on, going round, that exists and is not `own`; `own` when there is none.
uint64_t some_other_thread(const std::vector<bool>& threads, uint64_t wanted, uint32_t own) {
  for (size_t i = 0; i < threads.size(); i++) {
    const uint64_t thread = (wanted + i) % threads.size();
    if (threads[thread] && thread != own) return thread;
  }
  return own;
}

}  // namespace

std::vector<bool> threads_in(const Program& program) {
  std::vector<bool> threads(1, true);
  for (const Operation& line : program.lines) {
    if (line.thread >= threads.size()) threads.resize(size_t{line.thread} + 1);
    threads[line.thread] = true;
  }
  return threads;
}

bool has_schedule(const Program& program) {
  return std::ranges::any_of(program.lines, [](const Operation& line) { return !line.schedule.empty(); });
}

std::vector<ScheduleEvent> schedule_of(const Program& program) {
  std::vector<ScheduleEvent> events;
  for (size_t line = 0; line < program.lines.size(); line++) {
    for (const AccessEvent& event : program.lines[line].schedule) {
      events.push_back({event.kind, program.lines[line].thread, line, event.member, event.access, event.value});
    }
  }
  return events;
}

std::optional<std::string> schedule_fault(const Program& program, const std::vector<bool>& threads,
                                          const ScheduleEvent& event) {
  if (event.line >= program.lines.size()) return fmt::format("there is no op {} in this program", event.line);
  const Operation& line = program.lines[event.line];
  if (event.thread != line.thread)
    return fmt::format("op {} runs on t{}, not on t{}", event.line, line.thread, event.thread);
  return event_fault(line, {event.kind, event.member, event.access, event.value}, threads);
}

void set_schedule(Program& program, std::span<const ScheduleEvent> events) {
  for (Operation& line : program.lines) line.schedule.clear();
  for (const ScheduleEvent& event : events) {
    if (event.line >= program.lines.size() || program.lines[event.line].thread != event.thread) continue;
    program.lines[event.line].schedule.push_back({event.kind, event.member, event.access, event.value});
  }
  settle_schedule(program);
}

void settle_schedule(Program& program) {
  if (!has_schedule(program)) return;
  const std::vector<bool> threads = threads_in(program);
  for (Operation& line : program.lines) {
    if (line.schedule.empty()) continue;
    std::erase_if(line.schedule,
                  [&](const AccessEvent& event) { return event_fault(line, event, threads).has_value(); });
    sort_events(line.schedule);
  }
}

void aim_schedule(Program& program) {
  if (!has_schedule(program)) return;
  const std::vector<bool> threads = threads_in(program);
  for (Operation& line : program.lines) {
    for (AccessEvent& event : line.schedule) {
      event.member %= line.members();
      if (event.kind == ScheduleKind::kPreempt) {
        event.value = some_other_thread(threads, event.value, line.thread);
        continue;
      }
      event.access = std::max<uint64_t>(event.access, 1);
      event.value = event.kind == ScheduleKind::kStale ? std::max<uint64_t>(event.value, 1) : 0;
    }
  }
  settle_schedule(program);
}

}  // namespace assay
