// The failures that wait while a program runs: those of one line, and those that persist once they have begun. Asked
// before every call to the operating system, from inside of the allocator under test: takes no memory, makes no call.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <span>

#include "failpoints/plan.h"

namespace assay {

// What fails from some line on, for all threads, which may ask at the same time. Orders nothing between them, so that
// a race detector sees what the allocator orders and no more.
class StandingFailures {
 public:
  // Fills in `failure` when the call fails.
  bool find(SystemCall call, Failure& failure) const;
  void begin(const Failure& failure);
  void heal();
  bool any() const;

 private:
  std::array<std::atomic<uint32_t>, kSystemCalls> failures_{};  // 0, or a failure as one number
};

// What one line carries. Each thread that is inside of a line has one.
class ArmedLine {
 public:
  // A line begins: its failures wait from now on, calls of each kind are counted from 1, and what still waits of the
  // line before lapses. At most kMaxFailures.
  void arm(std::span<const Failure> failures);

  // A call is about to be made: how it fails, or null when it happens. What persists begins to stand.
  const Failure* ask(SystemCall call, StandingFailures& standing);

  // Calls that the line has made so far.
  uint32_t calls(SystemCall call) const { return made_[static_cast<size_t>(call)]; }
  // The first failure whose call has not come.
  std::optional<Failure> never_came() const;

  // A bit for each failure whose call has come; what has come in a child process is added.
  uint32_t came() const { return came_; }
  void add_came(uint32_t came) { came_ |= came; }

 private:
  std::array<Failure, kMaxFailures> waiting_{};
  std::array<uint32_t, kSystemCalls> made_{};
  size_t count_ = 0;
  uint32_t came_ = 0;
  Failure standing_;  // what ask() answered last
};

}  // namespace assay
