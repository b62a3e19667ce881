// Whether a figure that is measured for hours grows, and not only wanders. A least-squares line through the logarithms
// of twenty batch means, so that samples that follow each other may depend on each other; its confidence is widened by
// what dependence is left between batches. A growth counts when it is certain, large enough to matter, and still goes
// on in the last half: a heap that fills up is no leak.
#pragma once

#include <span>
#include <string>

namespace assay {

// Of what was measured, the first part is the way to the steady state.
inline constexpr double kWarmUpPart = 1.0 / 3;
// Fewer samples after that are not judged.
inline constexpr size_t kLeastSamples = 60;

struct Drift {
  bool judged = false;
  double per_hour = 0;  // 0.01: one percent an hour
  double low = 0;       // with 99.8 % confidence between these two
  double high = 0;
  double late_per_hour = 0;  // of the last half
  bool grows = false;
};

// `values` are positive, and evenly spaced between `hours.front()` and `hours.back()`. Growth below `least_per_hour`
// does not matter.
Drift find_drift(std::span<const double> hours, std::span<const double> values, double least_per_hour);

// "+0.98 % an hour (99.8 %: +0.91 to +1.05)".
std::string text_of(const Drift& drift);

}  // namespace assay
