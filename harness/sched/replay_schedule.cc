#include "harness/sched/replay_schedule.h"

#include <algorithm>
#include <tuple>

namespace assay {
namespace {

auto key(const ScheduleEvent& event) {
  return std::tuple(event.line, event.member, event.access, event.kind);
}

}  // namespace

ReplaySchedule::ReplaySchedule(std::span<const ScheduleEvent> events)
    : events_(events.begin(), events.end()),
      fates_(events.size(), Fate::kPending),
      asks_for_older_(std::any_of(events.begin(), events.end(),
                                  [](const ScheduleEvent& event) { return event.kind == ScheduleKind::kStale; })) {}

void ReplaySchedule::begin(uint32_t, uint32_t) {
  for (Fate& fate : fates_) fate = Fate::kPending;
}

size_t ReplaySchedule::find(ScheduleKind kind, const AccessPlace& place) const {
  const auto wanted = std::tuple(place.line, place.member, place.access, kind);
  size_t low = 0, high = events_.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (key(events_[middle]) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  while (low < events_.size() && key(events_[low]) == wanted && fates_[low] != Fate::kPending) ++low;
  return low < events_.size() && key(events_[low]) == wanted ? low : events_.size();
}

uint32_t ReplaySchedule::next(const Point& point) {
  for (size_t i = find(ScheduleKind::kPreempt, point.place); i < events_.size();
       i = find(ScheduleKind::kPreempt, point.place)) {
    for (uint64_t lanes = point.runnable; lanes != 0; lanes &= lanes - 1) {
      const auto lane = static_cast<uint32_t>(__builtin_ctzll(lanes));
      if (lane == point.lane || point.thread[lane] != events_[i].value) continue;
      fates_[i] = Fate::kHappened;
      return lane;
    }
    fates_[i] = Fate::kSkipped;
  }
  return point.lane;
}

uint32_t ReplaySchedule::older(const Point& point, uint32_t available) {
  const size_t i = find(ScheduleKind::kStale, point.place);
  if (i == events_.size()) return 0;
  const bool possible = events_[i].value <= available;
  fates_[i] = possible ? Fate::kHappened : Fate::kSkipped;
  return possible ? static_cast<uint32_t>(events_[i].value) : 0;
}

bool ReplaySchedule::fails(const Point& point) {
  const size_t i = find(ScheduleKind::kCasFails, point.place);
  if (i == events_.size()) return false;
  fates_[i] = Fate::kHappened;
  return true;
}

uint64_t ReplaySchedule::skipped() const {
  return static_cast<uint64_t>(
      std::count_if(fates_.begin(), fates_.end(), [](Fate fate) { return fate != Fate::kHappened; }));
}

}  // namespace assay
