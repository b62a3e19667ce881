#include "soak/fragmentation/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace assay {
namespace {

constexpr size_t kBatches = 20;
// Student's t with kBatches - 2 degrees of freedom: one value in a thousand lies above.
constexpr double kStudent = 3.610;
// What is said of the dependence between batches has a limit, or one wild series would never be judged.
constexpr double kMostDependence = 0.9;
// Growth that has slowed down to less than this part of itself is ending.
constexpr double kLateGrowthPart = 0.5;

struct Line {
  double slope = 0, middle = 0, height = 0;  // the height is at the middle
  double at(double x) const { return height + slope * (x - middle); }
};

Line fit(std::span<const double> x, std::span<const double> y) {
  const auto count = static_cast<double>(x.size());
  Line line;
  for (size_t i = 0; i < x.size(); ++i) {
    line.middle += x[i] / count;
    line.height += y[i] / count;
  }
  double products = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - line.middle) * (y[i] - line.height);
    squares += (x[i] - line.middle) * (x[i] - line.middle);
  }
  line.slope = products / squares;
  return line;
}

struct Batches {
  std::array<double, kBatches> hours{}, logs{};
};

Batches batch(std::span<const double> hours, std::span<const double> values) {
  Batches batches;
  for (size_t b = 0; b < kBatches; ++b) {
    const size_t from = values.size() * b / kBatches, to = values.size() * (b + 1) / kBatches;
    for (size_t i = from; i < to; ++i) {
      batches.hours[b] += hours[i] / static_cast<double>(to - from);
      batches.logs[b] += std::log(values[i]) / static_cast<double>(to - from);
    }
  }
  return batches;
}

// How far the line's slope may be from the true one.
double uncertainty(const Batches& batches, const Line& line) {
  std::array<double, kBatches> rest{};
  double squares = 0, neighbours = 0, spread = 0;
  for (size_t b = 0; b < kBatches; ++b) {
    rest[b] = batches.logs[b] - line.at(batches.hours[b]);
    squares += rest[b] * rest[b];
    if (b > 0) neighbours += rest[b] * rest[b - 1];
    spread += (batches.hours[b] - line.middle) * (batches.hours[b] - line.middle);
  }
  if (squares <= 0) return 0;
  // A line that was fitted takes some of the dependence with it; what is left of it is too small by about this much.
  const double seen = neighbours / squares;
  const double dependence = std::clamp(seen + (2 + 4 * seen) / kBatches, 0.0, kMostDependence);
  const double variance = squares / (kBatches - 2) / spread * (1 + dependence) / (1 - dependence);
  return kStudent * std::sqrt(variance);
}

}  // namespace

Drift find_drift(std::span<const double> hours, std::span<const double> values, double least_per_hour) {
  Drift drift;
  const auto warm_up = static_cast<size_t>(static_cast<double>(values.size()) * kWarmUpPart);
  hours = hours.subspan(warm_up);
  values = values.subspan(warm_up);
  if (values.size() < kLeastSamples) return drift;
  const Batches batches = batch(hours, values);
  const Line line = fit(batches.hours, batches.logs);
  const double margin = uncertainty(batches, line);
  const auto late_hours = std::span(batches.hours).subspan(kBatches / 2);
  const auto late_logs = std::span(batches.logs).subspan(kBatches / 2);
  drift.judged = true;
  drift.per_hour = line.slope;
  drift.low = line.slope - margin;
  drift.high = line.slope + margin;
  drift.late_per_hour = fit(late_hours, late_logs).slope;
  drift.grows = drift.low > least_per_hour && drift.late_per_hour > kLateGrowthPart * drift.per_hour;
  return drift;
}

std::string text_of(const Drift& drift) {
  if (!drift.judged) return "too short to judge";
  return fmt::format("{:+.3f} % an hour (99.8 %: {:+.3f} to {:+.3f})", 100 * drift.per_hour, 100 * drift.low,
                     100 * drift.high);
}

}  // namespace assay
