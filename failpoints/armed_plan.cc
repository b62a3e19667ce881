#include "failpoints/armed_plan.h"

#include <algorithm>

namespace assay {

void ArmedPlan::arm(std::span<const Failure> failures) {
  waiting_count_ = std::min(failures.size(), kMaxFailures);
  std::copy_n(failures.begin(), waiting_count_, waiting_.begin());
  came_ = 0;
  made_.fill(0);
}

const Failure* ArmedPlan::ask(SystemCall call) {
  const auto index = static_cast<size_t>(call);
  const uint32_t nth = ++made_[index];
  const Failure* answer = (persistent_ >> index & 1) != 0 ? &forever_[index] : nullptr;
  for (size_t i = 0; i < waiting_count_; ++i) {
    const Failure& failure = waiting_[i];
    if (failure.call != call || failure.nth != nth) continue;
    came_ |= 1u << i;
    if (failure.persistent) {
      forever_[index] = failure;
      persistent_ |= 1u << index;
    }
    answer = &failure;
  }
  if (answer != nullptr) ++fired_;
  return answer;
}

void ArmedPlan::heal() {
  persistent_ = 0;
}

std::optional<Failure> ArmedPlan::never_came() const {
  for (size_t i = 0; i < waiting_count_; ++i) {
    if ((came_ >> i & 1) == 0) return waiting_[i];
  }
  return std::nullopt;
}

void ArmedPlan::add_fired(uint64_t count, uint32_t lines_failures) {
  fired_ += count;
  came_ |= lines_failures;
}

}  // namespace assay
