#include "harness/exec/explore.h"

#include <memory>
#include <stdexcept>

#include "harness/exec/scheduled.h"
#include "harness/sched/exhaustive.h"
#include "harness/sched/random_schedules.h"

namespace assay {
namespace {

std::unique_ptr<Strategy> strategy_for(const ExploreLimits& limits) {
  switch (limits.search) {
    case Search::kExhaustive: break;
    case Search::kPct:
      return std::make_unique<Pct>(RandomLimits{.seed = limits.seed, .runs = limits.runs}, limits.bound);
    case Search::kRandom: return std::make_unique<RandomWalk>(RandomLimits{.seed = limits.seed, .runs = limits.runs});
  }
  return std::make_unique<Exhaustive>(ExhaustiveLimits{.preemptions = limits.bound,
                                                       .older_values = limits.older_values,
                                                       .runs = limits.runs,
                                                       .reduced = limits.reduced});
}

template <typename T>
void raise(volatile T& most, T seen) {
  if (seen > most) most = seen;
}

}  // namespace

RunResult explore(const Program& program, const Subject& subject, const RunOptions& options,
                  const ExploreLimits& limits, Exploration& exploration) {
  const std::unique_ptr<Strategy> strategy = strategy_for(limits);
  RunOptions quick = options;
  quick.whole_at_end_only = true;
  Scheduler scheduler;
  ScheduledExecutor executor(program, subject, quick, scheduler);
  executor.note_sites(&exploration.sites);
  RunResult result;
  bool more = true;
  while (more && !result.violation) {
    result = executor.run(*strategy, exploration.record);
    exploration.schedules = exploration.schedules + 1;
    raise(exploration.choice_points, exploration.record.choice_points);
    raise(exploration.accesses, exploration.record.accesses);
    more = strategy->end();
  }
  if (const auto* exhaustive = dynamic_cast<const Exhaustive*>(strategy.get()); exhaustive != nullptr) {
    exploration.exhausted = exhaustive->exhausted() && !result.violation;
    exploration.redundant = exhaustive->redundant_runs();
    if (exhaustive->diverged() && !result.violation) {
      throw std::runtime_error("the same schedule went another way: something beside it decides");
    }
    if (exhaustive->overflowed()) throw std::runtime_error("a schedule has more places than there is room for");
  }
  return result;
}

}  // namespace assay
