// The schedule that a program's text or bytes say, and nothing else: each event happens once, at its place. Several
// preemptions at one access happen in their order, each time that the lane is put on again because nobody else could go
// on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/op/schedule.h"
#include "harness/sched/strategy.h"

namespace assay {

class ReplaySchedule final : public Strategy {
 public:
  // Events in the order that schedule_of() gives them: by line, member, access and kind.
  explicit ReplaySchedule(std::span<const ScheduleEvent> events);

  void begin(uint32_t lanes, uint32_t marks) override;
  uint32_t next(const Point& point) override;
  uint32_t older(const Point& point, uint32_t available) override;
  bool fails(const Point& point) override;
  bool asks_for_older() const override { return asks_for_older_; }
  bool end() override { return false; }

  // Events that could not happen: a thread that could not run, an access that never came or is of another kind.
  uint64_t skipped() const;

 private:
  enum class Fate : uint8_t { kPending, kHappened, kSkipped };
  // The first event of the kind at the place that has not been tried yet; null when there is none.
  size_t find(ScheduleKind kind, const AccessPlace& place) const;

  std::vector<ScheduleEvent> events_;
  std::vector<Fate> fates_;
  bool asks_for_older_;
};

}  // namespace assay
