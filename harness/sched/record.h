// What a run did that the default would not have done. Plain data: it may lie in memory that another process reads
// after a crash.
#pragma once

#include <cstdint>

#include "harness/op/schedule.h"

namespace assay {

struct ScheduleRecord {
  static constexpr uint32_t kMaxEvents = 4096;

  volatile uint32_t count = 0;
  volatile bool overflowed = false;  // more than kMaxEvents: the record is not the whole schedule
  ScheduleEvent events[kMaxEvents];

  uint64_t choice_points = 0;  // places where more than one lane could run, or a load had more than one value
  uint64_t accesses = 0;
  uint64_t preemptions = 0;  // of a lane that could have gone on, after an access at least
  uint64_t skipped = 0;      // events of the program's schedule that could not happen

  void clear() {
    count = 0;
    overflowed = false;
    choice_points = accesses = preemptions = skipped = 0;
  }
  void add(ScheduleKind kind, uint32_t thread, uint64_t line, uint64_t member, uint64_t access, uint64_t value) {
    if (count == kMaxEvents) {
      overflowed = true;
      return;
    }
    ScheduleEvent& event = events[count];
    event.kind = kind;
    event.thread = thread;
    event.line = line;
    event.member = member;
    event.access = access;
    event.value = value;
    count = count + 1;
  }
};

}  // namespace assay
