// Probabilistic concurrency testing finds a bug of depth d, one that d orderings of accesses are enough for, with a
// probability of at least 1 / (n * k^(d - 1)) a run, of n threads with k places in all. Three planted bugs, the rates
// beside the bound and beside that of a random walk.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "harness/sched/random_schedules.h"
#include "tests/sched/toy.h"

namespace assay {
namespace {

// Two threads; what they do beside the bug nobody else looks at.
class Planted : public Toy {
 public:
  uint32_t threads() const override { return 2; }
  void run(uint32_t thread) override {
    distract(thread, 2);
    (thread == 0 ? first() : second());
    distract(thread, 2);
  }
  std::string outcome() const override { return shows() ? "bug" : "sound"; }

 protected:
  virtual void first() = 0;
  virtual void second() = 0;
  virtual bool shows() const = 0;
  void distract(uint32_t thread, int times) {
    for (int i = 0; i < times; ++i) own_[thread].fetch_add(1, xi::kRelaxed);
  }
  xi::Atomic<int> x, y;

 private:
  xi::Atomic<int> own_[2];
};

// The user comes before the maker.
class UsedBeforeMade final : public Planted {
  void first() override { x.store(1, xi::kRelease); }
  void second() override { made_ = x.load(xi::kAcquire) == 1; }
  bool shows() const override { return !made_; }
  bool made_ = false;
};

// Something comes between a load and the store that depends on it.
class LostUpdate final : public Planted {
  void first() override {
    const int seen = x.load(xi::kRelaxed);
    distract(0, 1);
    x.store(seen + 1, xi::kRelaxed);
  }
  void second() override { x.fetch_add(1, xi::kRelaxed); }
  bool shows() const override { return x.load(xi::kRelaxed) != 2; }
};

// First, second, first, second.
class FourSteps final : public Planted {
  void first() override {
    const bool before = x.load(xi::kRelaxed) == 0;
    distract(0, 1);
    if (before && x.load(xi::kRelaxed) == 1) y.store(1, xi::kRelaxed);
  }
  void second() override {
    x.store(1, xi::kRelaxed);
    distract(1, 1);
    shows_ = y.load(xi::kRelaxed) == 1;
  }
  bool shows() const override { return shows_; }
  bool shows_ = false;
};

struct Rate {
  uint64_t hits = 0, runs = 0, places = 0;
  double value() const { return static_cast<double>(hits) / static_cast<double>(runs); }
};

template <class Bug>
Rate rate_of(Strategy& strategy) {
  Rate rate;
  ToyRunner runner;
  do {
    Bug bug;
    EXPECT_EQ(runner.run(bug, strategy), RunEnd::kDone);
    ++rate.runs;
    rate.hits += bug.outcome() == "bug";
    if (runner.record.choice_points > rate.places) rate.places = runner.record.choice_points;
  } while (strategy.end());
  return rate;
}

// Without older values, which are no matter of orderings.
RandomLimits limits(uint64_t runs) {
  return {.seed = 1, .runs = runs, .older_values = false};
}

template <class Bug>
void expect_bound(uint32_t depth, uint64_t runs) {
  Pct pct(limits(runs), depth);
  const Rate rate = rate_of<Bug>(pct);
  RandomWalk walk(limits(runs));
  const Rate walked = rate_of<Bug>(walk);
  const double bound = 1 / (2 * std::pow(static_cast<double>(rate.places), depth - 1));
  std::printf("depth %u: %llu places, bound %.3f %%, PCT %.3f %% of %llu runs, random walk %.3f %%\n", depth,
              static_cast<unsigned long long>(rate.places), 100 * bound, 100 * rate.value(),
              static_cast<unsigned long long>(rate.runs), 100 * walked.value());
  // Three standard deviations: a rate that is the bound itself is as often below it.
  EXPECT_GE(rate.value(), bound - 3 * std::sqrt(bound * (1 - bound) / static_cast<double>(rate.runs)));
  if (depth == 1) return;
  Pct shallow(limits(1000), depth - 1);
  EXPECT_EQ(rate_of<Bug>(shallow).hits, 0u) << "a bug of depth " << depth << " needs as many orderings";
}

TEST(BugDepthTest, PctKeepsItsBound) {
  expect_bound<UsedBeforeMade>(1, 1000);
  expect_bound<LostUpdate>(2, 2000);
  expect_bound<FourSteps>(3, 4000);
}

}  // namespace
}  // namespace assay
