// What all the schedules of a toy come to.
#pragma once

#include <map>
#include <string>

#include "harness/sched/exhaustive.h"
#include "tests/sched/toy.h"

namespace assay {

struct Outcomes {
  std::map<std::string, uint64_t> runs;  // by outcome; "deadlock", "livelock" and "outside" are outcomes
  uint64_t schedules = 0;
  uint64_t redundant = 0;
  bool exhausted = false;

  std::string names() const {
    std::string text;
    for (const auto& [name, times] : runs) text += (text.empty() ? "" : " ") + name;
    return text;
  }
};

template <class Make>
Outcomes explore_toy(const Make& make, const ExhaustiveLimits& limits) {
  Outcomes outcomes;
  Exhaustive strategy(limits);
  ToyRunner runner;
  bool more = true;
  while (more) {
    // Left behind where its threads are left behind.
    auto* const toy = make().release();
    const RunEnd end = runner.run(*toy, strategy);
    switch (end) {
      case RunEnd::kDone: ++outcomes.runs[toy->outcome()]; break;
      case RunEnd::kDeadlock: ++outcomes.runs["deadlock"]; break;
      case RunEnd::kOutside: ++outcomes.runs["outside"]; break;
      default: ++outcomes.runs["livelock"]; break;
    }
    if (end == RunEnd::kDone) delete toy;
    more = strategy.end();
  }
  EXPECT_FALSE(strategy.diverged());
  EXPECT_FALSE(strategy.overflowed());
  outcomes.schedules = strategy.runs();
  outcomes.redundant = strategy.redundant_runs();
  outcomes.exhausted = strategy.exhausted();
  return outcomes;
}

}  // namespace assay
