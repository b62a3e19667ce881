#include "harness/exec/done_flag.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace assay {
namespace {

// Most operations end before a thread could be put to sleep.
constexpr int kSpins = 200;
constexpr long kSleepNs = 50'000'000;

}  // namespace

void DoneFlag::set() {
  if (word_.exchange(kDone, std::memory_order_release) != kPendingWithSleepers) return;
  syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

bool DoneFlag::wait_a_while() {
  for (int spins = 0; spins < kSpins; ++spins) {
    if (is_set()) return true;
    __builtin_ia32_pause();
  }
  uint32_t pending = kPending;
  word_.compare_exchange_strong(pending, kPendingWithSleepers, std::memory_order_relaxed);
  const timespec timeout{0, kSleepNs};
  if (!is_set()) syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, kPendingWithSleepers, &timeout, nullptr, 0);
  return is_set();
}

}  // namespace assay
