#include "failpoints/armed_plan.h"

#include <algorithm>

namespace assay {

const Failure* StandingFailures::find(SystemCall call) const {
  const auto index = static_cast<size_t>(call);
  return (calls_ >> index & 1) != 0 ? &failures_[index] : nullptr;
}

void StandingFailures::begin(const Failure& failure) {
  const auto index = static_cast<size_t>(failure.call);
  failures_[index] = failure;
  calls_ |= 1u << index;
}

void ArmedLine::arm(std::span<const Failure> failures) {
  count_ = std::min(failures.size(), kMaxFailures);
  std::copy_n(failures.begin(), count_, waiting_.begin());
  came_ = 0;
  made_.fill(0);
}

const Failure* ArmedLine::ask(SystemCall call, StandingFailures& standing) {
  const uint32_t nth = ++made_[static_cast<size_t>(call)];
  for (size_t i = 0; i < count_; ++i) {
    const Failure& failure = waiting_[i];
    if (failure.call != call || failure.nth != nth) continue;
    came_ |= 1u << i;
    if (failure.persistent) standing.begin(failure);
    return &failure;
  }
  return standing.find(call);
}

std::optional<Failure> ArmedLine::never_came() const {
  for (size_t i = 0; i < count_; ++i) {
    if ((came_ >> i & 1) == 0) return waiting_[i];
  }
  return std::nullopt;
}

}  // namespace assay
