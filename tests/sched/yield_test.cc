// A thread that looks again and again until another one has got out of something: it says so, and is put on again when
// another one has changed something.
#include <gtest/gtest.h>

#include "allocator/base/patience.h"
#include "tests/sched/explore_toy.h"

namespace assay {
namespace {

// The last thread holds the claim for a while, or for ever; all others look until they have it.
class Claims final : public Toy {
 public:
  Claims(uint32_t lookers, bool is_lost) : lookers_(lookers), is_lost_(is_lost) {}
  uint32_t threads() const override { return lookers_ + 1; }
  std::string outcome() const override { return outcome_; }

  void run(uint32_t thread) override {
    if (thread == lookers_) return hold();
    for (xi::Patience patience;;) {
      if (claim_.exchange(1, xi::kAcquire) == 0) break;
      if (patience.wait()) continue;
      outcome_ = "lost";
      return;
    }
    if (value_.load(xi::kRelaxed) == 1) outcome_ = "half";
    claim_.store(0, xi::kRelease);
  }

 private:
  void hold() {
    if (claim_.exchange(1, xi::kAcquire) != 0) return;
    value_.store(1, xi::kRelaxed);
    value_.store(2, xi::kRelaxed);
    if (!is_lost_) claim_.store(0, xi::kRelease);
  }

  const uint32_t lookers_;
  const bool is_lost_;
  xi::Atomic<int> claim_, value_;
  std::string outcome_ = "whole";
};

Outcomes outcomes_of(uint32_t lookers, bool is_lost, const ExhaustiveLimits& limits) {
  return explore_toy([=] { return std::make_unique<Claims>(lookers, is_lost); }, limits);
}

TEST(YieldTest, WhoWaitsIsPutOnAgainWhenAnotherHasChangedSomethingAndNeverGivesUp) {
  for (const ExhaustiveLimits& limits : {ExhaustiveLimits{.preemptions = 1}, ExhaustiveLimits{.preemptions = 2},
                                         ExhaustiveLimits{}, ExhaustiveLimits{.reduced = false}}) {
    const Outcomes outcomes = outcomes_of(1, false, limits);
    EXPECT_TRUE(outcomes.exhausted);
    EXPECT_EQ(outcomes.names(), "whole");
    EXPECT_LT(outcomes.schedules, 50u);
  }
}

TEST(YieldTest, TwoWhoWaitForAThirdLetItRun) {
  const Outcomes outcomes = outcomes_of(2, false, {.preemptions = 1});
  EXPECT_TRUE(outcomes.exhausted);
  EXPECT_EQ(outcomes.names(), "whole");
  EXPECT_LT(outcomes.schedules, 500u);
}

// As in a forked child.
TEST(YieldTest, WhoWaitsForOneThatIsLostFindsOut) {
  xi::threads_were_lost = true;
  const Outcomes outcomes = outcomes_of(1, true, {.preemptions = 1});
  xi::threads_were_lost = false;
  EXPECT_TRUE(outcomes.exhausted);
  EXPECT_EQ(outcomes.names(), "lost whole");
}

}  // namespace
}  // namespace assay
