#include "soak/fragmentation/drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

namespace assay {
namespace {

constexpr size_t kSamples = 2880;  // eight hours, one in ten seconds
constexpr double kHours = 8;
constexpr double kLeast = 0.001;

// A series around 1 whose neighbours depend on each other by `dependence`, and that grows by `per_hour`.
struct Series {
  std::vector<double> hours, values;
};
Series series(unsigned seed, double dependence, double per_hour, double noise = 0.01) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Series result;
  double state = normal(random);
  for (size_t i = 0; i < kSamples; ++i) {
    const double hour = kHours * static_cast<double>(i) / kSamples;
    state = dependence * state + std::sqrt(1 - dependence * dependence) * normal(random);
    result.hours.push_back(hour);
    result.values.push_back(std::exp(per_hour * hour + noise * state));
  }
  return result;
}

double part_found(double dependence, double per_hour, double least, double noise = 0.01) {
  constexpr unsigned kRuns = 1000;
  unsigned found = 0;
  for (unsigned seed = 1; seed <= kRuns; ++seed) {
    const Series s = series(seed, dependence, per_hour, noise);
    found += find_drift(s.hours, s.values, least).grows ? 1 : 0;
  }
  const double part = static_cast<double>(found) / kRuns;
  std::printf("dependence %.3f, growth %.3f an hour: %.2f %% found\n", dependence, per_hour, 100 * part);
  return part;
}

TEST(DriftTest, NoiseIsNoGrowth) {
  // Even where the smallest growth would count: one in a thousand.
  EXPECT_LE(part_found(0, 0, 0), 0.004);
  EXPECT_LE(part_found(0.9, 0, 0), 0.004);
  // Here a batch is as long as the noise remembers.
  EXPECT_LE(part_found(0.99, 0, 0), 0.02);
}

TEST(DriftTest, APercentAnHourIsFound) {
  EXPECT_GE(part_found(0, 0.01, kLeast), 0.999);
  EXPECT_GE(part_found(0.9, 0.01, kLeast), 0.95);
}

TEST(DriftTest, WhatShrinksOrStandsDoesNotGrow) {
  EXPECT_EQ(part_found(0.5, -0.01, kLeast), 0);
  const std::vector<double> hours(series(1, 0, 0).hours), same(kSamples, 2.5);
  const Drift drift = find_drift(hours, same, kLeast);
  EXPECT_TRUE(drift.judged);
  EXPECT_FALSE(drift.grows);
}

// Of 300 heaps that fill up with this time constant: how many grow for certain, and how many of them go on growing.
struct FillUps {
  unsigned certain = 0, growing = 0;
};
FillUps fill_ups(double hours, double noise) {
  FillUps result;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Series s = series(seed, 0, 0, noise);
    for (size_t i = 0; i < kSamples; ++i) s.values[i] *= 1 - 0.3 * std::exp(-s.hours[i] / hours);
    const Drift drift = find_drift(s.hours, s.values, kLeast);
    result.certain += drift.low > kLeast ? 1 : 0;
    result.growing += drift.grows ? 1 : 0;
  }
  return result;
}

TEST(DriftTest, AHeapThatFillsUpIsNoLeak) {
  // In an eighth of the time that is given.
  EXPECT_EQ(fill_ups(1, 0.01).growing, 0u);
  // In a quarter of it, where noise hides the bend: the last half decides.
  const FillUps slow = fill_ups(2, 0.03);
  EXPECT_GT(slow.certain, 60u);
  EXPECT_LT(slow.growing, slow.certain * 6 / 10);
}

TEST(DriftTest, GrowthThatDoesNotMatterIsLeftAlone) {
  const Series s = series(3, 0, 0.0005, 0.00001);
  EXPECT_GT(find_drift(s.hours, s.values, 0).low, 0);
  EXPECT_FALSE(find_drift(s.hours, s.values, kLeast).grows);
}

TEST(DriftTest, AShortSeriesIsNotJudged) {
  const Series s = series(3, 0, 0.5);
  const auto beginning = [](const std::vector<double>& all) { return std::span(all).first(kLeastSamples); };
  EXPECT_FALSE(find_drift(beginning(s.hours), beginning(s.values), 0).judged);
}

}  // namespace
}  // namespace assay
