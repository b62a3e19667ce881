// Running one program under many schedules until one of them violates something.
#pragma once

#include "harness/exec/run.h"
#include "harness/sched/record.h"
#include "harness/sched/site_set.h"

namespace assay {

enum class Search : uint8_t { kExhaustive, kPct, kRandom };

struct ExploreLimits {
  static constexpr uint32_t kUnbounded = ~uint32_t{0};
  Search search = Search::kExhaustive;
  uint32_t bound = kUnbounded;  // preemptions in each schedule of an exhaustive search; depth of PCT
  uint32_t older_values = 0;    // older values and failed exchanges in each schedule of an exhaustive search
  uint64_t runs = ~uint64_t{0};
  uint64_t seed = 0;
  bool reduced = true;  // exhaustive: orders of accesses that do not conflict are not told apart
};

// Plain data, filled in as it goes: it may lie in memory that another process reads after a crash.
struct Exploration {
  volatile uint64_t schedules = 0;      // runs that have ended
  volatile uint64_t redundant = 0;      // of them, those that repeated others
  volatile uint64_t choice_points = 0;  // of the run that had most
  volatile uint64_t accesses = 0;       // of the run that had most
  bool exhausted = false;
  SiteSet sites;          // of all runs
  ScheduleRecord record;  // of the last run, or of the one under way
};

// The result of the last run. Throws std::runtime_error when something beside the schedule decides what happens.
RunResult explore(const Program& program, const Subject& subject, const RunOptions& options,
                  const ExploreLimits& limits, Exploration& exploration);

}  // namespace assay
