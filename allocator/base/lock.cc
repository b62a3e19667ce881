#include "allocator/base/lock.h"

namespace xi {

void Lock::lock_contended() {
  constexpr int kSpins = 64;
  for (int i = 0; i < kSpins; ++i) {
    uint32_t expected = kFree;
    if (state_.compare_exchange(expected, kHeld, kAcquire)) return;
    __builtin_ia32_pause();
  }
  // From here on the state says kContended, also when we get the lock: there may be other sleepers, and unlock wakes
  // one.
  while (state_.exchange(kContended, kAcquire) != kFree) lock_sleep(&state_, kContended);
}

}  // namespace xi
