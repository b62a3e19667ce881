#include "tools/recorder/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace assay::recorder {
namespace {
// With two threads on two cores a holder is gone after some tens of steps; a sleep costs far more.
constexpr int kSpins = 100;

void futex(uint32_t* word, int operation, uint32_t value) {
  const int saved = errno;
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
  errno = saved;
}

void pause_a_little() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}
}  // namespace

void Lock::acquire() {
  std::atomic_ref<uint32_t> word(word_);
  for (int spin = 0; spin < kSpins; ++spin) {
    uint32_t expected = 0;
    if (word.compare_exchange_weak(expected, 1, std::memory_order_acquire, std::memory_order_relaxed)) return;
    pause_a_little();
  }
  while (word.exchange(2, std::memory_order_acquire) != 0) futex(&word_, FUTEX_WAIT, 2);
}

void Lock::release() {
  std::atomic_ref<uint32_t> word(word_);
  if (word.exchange(0, std::memory_order_release) == 2) futex(&word_, FUTEX_WAKE, 1);
}

}  // namespace assay::recorder
