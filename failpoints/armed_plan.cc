#include "failpoints/armed_plan.h"

#include <algorithm>

namespace assay {

namespace {

constexpr uint32_t kStands = uint32_t{1} << 31;
constexpr unsigned kKindShift = 16;

}  // namespace

bool StandingFailures::find(SystemCall call, Failure& failure) const {
  const uint32_t code = failures_[static_cast<size_t>(call)].load(std::memory_order_relaxed);
  if (code == 0) return false;
  failure = {.call = call,
             .kind = static_cast<FailureKind>((code & ~kStands) >> kKindShift),
             .persistent = true,
             .error = static_cast<uint16_t>(code)};
  return true;
}

void StandingFailures::begin(const Failure& failure) {
  const uint32_t code = kStands | static_cast<uint32_t>(failure.kind) << kKindShift | failure.error;
  failures_[static_cast<size_t>(failure.call)].store(code, std::memory_order_relaxed);
}

void StandingFailures::heal() {
  for (std::atomic<uint32_t>& failure : failures_) failure.store(0, std::memory_order_relaxed);
}

bool StandingFailures::any() const {
  return std::ranges::any_of(failures_, [](const auto& code) { return code.load(std::memory_order_relaxed) != 0; });
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
  return standing.find(call, standing_) ? &standing_ : nullptr;
}

std::optional<Failure> ArmedLine::never_came() const {
  for (size_t i = 0; i < count_; ++i) {
    if ((came_ >> i & 1) == 0) return waiting_[i];
  }
  return std::nullopt;
}

}  // namespace assay
