// Schedules drawn at random: by a walk that draws anew at each access, and by PCT (Burckhardt, Kothari, Musuvathi,
// Nagarakatti 2010), which draws an order of the lanes and d - 1 places where the running one falls behind all others:
// a bug that takes d ordering constraints among n lanes and k places is hit with a probability of at least 1 / (n
// k^(d-1)). A walk is good at shallow bugs, PCT at deep ones.
#pragma once

#include <array>
#include <cstdint>

#include "harness/sched/strategy.h"

namespace assay {

struct RandomLimits {
  uint64_t seed = 0;
  uint64_t runs = 0;
  bool older_values = true;  // also loads of older values and failing weak exchanges, one in sixteen each
};

class RandomSchedules : public Strategy {
 public:
  explicit RandomSchedules(const RandomLimits& limits) : limits_(limits) {}

  void begin(uint32_t lanes, uint32_t marks) override;
  uint32_t older(const Point& point, uint32_t available) override;
  bool fails(const Point& point) override;
  bool asks_for_older() const override { return limits_.older_values; }
  bool end() override { return ++run_ < limits_.runs; }

 protected:
  uint64_t draw(uint64_t below);  // uniform
  uint64_t run() const { return run_; }

 private:
  RandomLimits limits_;
  uint64_t run_ = 0;
  uint64_t state_ = 0;
};

class RandomWalk final : public RandomSchedules {
 public:
  using RandomSchedules::RandomSchedules;
  uint32_t next(const Point& point) override;
};

class Pct final : public RandomSchedules {
 public:
  // Finds bugs of at most `depth`.
  Pct(const RandomLimits& limits, uint32_t depth) : RandomSchedules(limits), depth_(depth) {}
  void begin(uint32_t lanes, uint32_t marks) override;
  uint32_t next(const Point& point) override;
  bool end() override;

  uint64_t places() const { return places_; }  // k: the most choices that a run has had so far

 private:
  static constexpr uint32_t kMaxDepth = 16;
  uint32_t depth_;
  uint64_t step_ = 0, places_ = 0;
  std::array<uint64_t, kMaxDepth> changes_{};
  std::array<uint32_t, kMaxLanes> priority_{};
};

}  // namespace assay
