#include "harness/sched/random_schedules.h"

namespace assay {
namespace {

constexpr uint64_t kOlderOneIn = 16;

uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t RandomSchedules::draw(uint64_t below) {
  state_ += 0x9e3779b97f4a7c15;
  return static_cast<uint64_t>((static_cast<unsigned __int128>(mixed(state_)) * below) >> 64);
}

void RandomSchedules::begin(uint32_t, uint32_t) {
  state_ = mixed(mixed(limits_.seed) + run_);
}

uint32_t RandomSchedules::older(const Point&, uint32_t available) {
  if (!limits_.older_values || draw(kOlderOneIn) != 0) return 0;
  return 1 + static_cast<uint32_t>(draw(available));
}

bool RandomSchedules::fails(const Point&) {
  return limits_.older_values && draw(kOlderOneIn) == 0;
}

uint32_t RandomWalk::next(const Point& point) {
  if (!point.access.matters()) return point.lane;
  uint64_t lanes = point.runnable;
  for (uint64_t skip = draw(static_cast<uint64_t>(__builtin_popcountll(lanes))); skip > 0; --skip) lanes &= lanes - 1;
  return static_cast<uint32_t>(__builtin_ctzll(lanes));
}

void Pct::begin(uint32_t lanes, uint32_t marks) {
  RandomSchedules::begin(lanes, marks);
  step_ = 0;
  for (uint32_t i = 0; i < lanes; ++i) {
    const auto other = static_cast<uint32_t>(draw(i + 1));
    priority_[i] = priority_[other];
    priority_[other] = kMaxDepth + i;
  }
  // The first run measures how many places there are.
  for (uint32_t i = 0; i + 1 < depth_ && i < kMaxDepth; ++i) changes_[i] = places_ == 0 ? 0 : 1 + draw(places_);
}

uint32_t Pct::next(const Point& point) {
  if (!point.access.matters()) return point.lane;
  ++step_;
  for (uint32_t i = 0; i + 1 < depth_ && i < kMaxDepth; ++i) {
    if (changes_[i] == step_) priority_[point.lane] = i;
  }
  uint32_t best = point.lane;
  for (uint64_t lanes = point.runnable; lanes != 0; lanes &= lanes - 1) {
    const auto lane = static_cast<uint32_t>(__builtin_ctzll(lanes));
    if (priority_[lane] > priority_[best]) best = lane;
  }
  return best;
}

bool Pct::end() {
  if (step_ > places_) places_ = step_;
  return RandomSchedules::end();
}

}  // namespace assay
