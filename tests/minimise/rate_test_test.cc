#include "tools/minimise/rate_test.h"

#include <gtest/gtest.h>

#include "harness/op/random.h"

namespace assay {
namespace {

// Part of 2,000 candidates, each of which shows the violation at `rate`, that are taken for one of rate `original`.
double accepted_part(double original, double rate, uint64_t& runs) {
  Random random(7);
  constexpr int kCandidates = 2000;
  int accepted = 0;
  for (int i = 0; i < kCandidates; i++) {
    const RateTest test{.rate = original};
    accepted += rate_stays(test,
                           [&] {
                             runs++;
                             return static_cast<double>(random.below(1'000'000)) < rate * 1e6;
                           })
                    ? 1
                    : 0;
  }
  return accepted / double{kCandidates};
}

TEST(RateTest, ErrsAsSeldomAsItSays) {
  for (const double rate : {0.05, 0.3, 0.8, 1.0}) {
    uint64_t runs = 0;
    EXPECT_GE(accepted_part(rate, rate, runs), 0.8) << rate;
    EXPECT_LE(accepted_part(rate, rate / 2, runs), 0.05) << rate;
    EXPECT_EQ(accepted_part(rate, 0, runs), 0) << rate;
  }
}

TEST(RateTest, DecidesAfterFewRuns) {
  uint64_t runs = 0;
  accepted_part(0.3, 0.3, runs);
  EXPECT_LE(runs / 2000, 45u);
  runs = 0;
  accepted_part(0.3, 0, runs);
  EXPECT_LE(runs / 2000, 20u);
}

TEST(RateTest, AnOversightDoesNotRunForEver) {
  uint64_t runs = 0;
  const RateTest test{.rate = 0.0001, .max_runs = 50};
  EXPECT_FALSE(rate_stays(test, [&] { return runs++, false; }));
  EXPECT_EQ(runs, 50u);
}

}  // namespace
}  // namespace assay
