// The failures that wait while a program runs. Asked before every call to the operating system, from inside of the
// allocator under test: takes no memory and makes no call. One thread at a time.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "failpoints/plan.h"

namespace assay {

class ArmedPlan {
 public:
  // As before the program: nothing waits, nothing persists, nothing was counted.
  void clear() { *this = ArmedPlan(); }

  // A line of the program begins: its failures wait from now on, the calls of each kind are counted from 1 again, and
  // what still waits of the line before lapses. At most kMaxFailures.
  void arm(std::span<const Failure> failures);

  // A call is about to be made: how it fails, or null when it happens.
  const Failure* ask(SystemCall call);

  // Ends what persists.
  void heal();

  bool persists() const { return persistent_ != 0; }
  // Calls that failed since clear().
  uint64_t fired() const { return fired_; }
  // Calls that the line has made so far.
  uint32_t calls(SystemCall call) const { return made_[static_cast<size_t>(call)]; }
  // The first failure of the line whose call has not come.
  std::optional<Failure> never_came() const;

  // Notes what another process, a fork's child, has done under this plan.
  void add_fired(uint64_t count, uint32_t lines_failures);
  uint32_t came() const { return came_; }

 private:
  std::array<Failure, kMaxFailures> waiting_{};
  std::array<Failure, kSystemCalls> forever_{};
  std::array<uint32_t, kSystemCalls> made_{};
  size_t waiting_count_ = 0;
  uint32_t came_ = 0;        // a bit for each of waiting_
  uint32_t persistent_ = 0;  // a bit for each call of forever_
  uint64_t fired_ = 0;
};

}  // namespace assay
