// What a schedule makes happen at one access to shared memory: plain data, as an Operation holds it.
#pragma once

#include <cstdint>
#include <tuple>

namespace assay {

enum class ScheduleKind : uint8_t {
  kPreempt,   // another thread runs before the access
  kStale,     // the load returns an older value
  kCasFails,  // the weak compare-exchange fails
};

// At one access inside an operation. What happens at one and the same access are different kinds.
struct AccessEvent {
  ScheduleKind kind = ScheduleKind::kPreempt;
  uint64_t member = 0;  // which operation of a line that is a range: `op 5[17]`
  uint64_t access = 0;  // counted from 1; 0, for kPreempt alone, is before the operation begins
  uint64_t value = 0;   // kPreempt: the thread that runs; kStale: how many values older, from 1; kCasFails: 0

  // An operation keeps its events in this order. At one access there may be several preemptions, to different threads:
  // they happen one after the other, each when the thread is put on again because no other can go on. Of the other
  // kinds there is one at most.
  std::tuple<uint64_t, uint64_t, ScheduleKind> key() const { return {member, access, kind}; }
  bool is_as(const AccessEvent& other) const {
    return key() == other.key() && (kind != ScheduleKind::kPreempt || value == other.value);
  }
  bool operator==(const AccessEvent&) const = default;
};

}  // namespace assay
