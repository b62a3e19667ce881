// The schedule of a program. Each event is kept in the operation that it happens in, so that it goes where its line
// goes; here is the same as one list, as executors and schedulers use it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/op/program.h"

namespace assay {

struct ScheduleEvent {
  ScheduleKind kind = ScheduleKind::kPreempt;
  uint32_t thread = 0;  // that makes the access: the one of the line
  uint64_t line = 0;
  uint64_t member = 0;
  uint64_t access = 0;
  uint64_t value = 0;  // as in AccessEvent
  bool operator==(const ScheduleEvent&) const = default;
};

// In ascending order of line, member, access and kind.
std::vector<ScheduleEvent> schedule_of(const Program& program);
bool has_schedule(const Program& program);

// Takes the place of the schedule that the program has. Nothing is kept of an event that schedule_fault() objects to,
// or that happens where another of its kind does.
void set_schedule(Program& program, std::span<const ScheduleEvent> events);

// What is wrong with an event of a program, without its place: "there is no thread t3 in this program".
// `threads` is threads_in(program).
std::optional<std::string> schedule_fault(const Program& program, const std::vector<bool>& threads,
                                          const ScheduleEvent& event);

// Drops every event that means nothing (any more): a preemption to a thread that the program has not, to the thread
// itself, a member that the line has not. Sorts the rest. A program that has been transformed is well-formed after it.
void settle_schedule(Program& program);

// The same for a program made of noise, where an event is worth more than its exact meaning: a thread that does not
// exist becomes one that does.
void aim_schedule(Program& program);

// Whether t0, t1, … run anything; t0 always does.
std::vector<bool> threads_in(const Program& program);

}  // namespace assay
