// The schedule's lines of the text form: `preempt(t0, op 5, access 2) -> t1`, `stale(t1, op 6, access 4, 2)`,
// `cas_fails(t0, op 5[17], access 3)`.
#pragma once

#include <string>
#include <vector>

#include "harness/op/schedule.h"
#include "harness/op/text_scanner.h"

namespace assay {

class ScheduleLines {
 public:
  // True when the line was one of them. They may stand before the operations that they name.
  bool parse(TextScanner& line);
  // After the last line: puts the events into the operations; throws InputError at the first that names what there is
  // not.
  void attach(Program& program) const;

 private:
  struct Placed {
    ScheduleEvent event;
    TextScanner line;  // at the event's beginning
  };
  std::vector<Placed> events_;
};

std::string print_event(const ScheduleEvent& event);  // without the line's end

}  // namespace assay
