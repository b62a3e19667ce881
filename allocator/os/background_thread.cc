#include "allocator/os/background_thread.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "allocator/base/atomic.h"
#include "allocator/os/errno_keeper.h"

namespace xi::os {

namespace {

constinit Atomic<uint32_t> wanted{0};
constinit bool exists = false;
constinit pthread_t thread = 0;
constexpr time_t kSecondsToEnd = 1;

void* run(void* work) {
  while (wanted.load(kAcquire) != 0) {
    const uint32_t pause_ms = reinterpret_cast<uint32_t (*)()>(work)();
    const timespec pause = {static_cast<time_t>(pause_ms / 1000), static_cast<long>(pause_ms % 1000) * 1'000'000};
    // stop_background_thread() changes the word first, so that its wake is never missed.
    syscall(SYS_futex, &wanted, FUTEX_WAIT_PRIVATE, 1, &pause, nullptr, 0);
  }
  return nullptr;
}

}  // namespace

int start_background_thread(uint32_t (*work)()) {
  if (exists) return 0;
  ErrnoKeeper keeper;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  wanted.store(1, kRelease);
  const int error = pthread_create(&thread, nullptr, &run, reinterpret_cast<void*>(work));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  exists = error == 0;
  return error;
}

void stop_background_thread() {
  if (!exists) return;
  ErrnoKeeper keeper;
  wanted.store(0, kRelease);
  syscall(SYS_futex, &wanted, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  timespec until = {};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kSecondsToEnd;
  if (pthread_timedjoin_np(thread, nullptr, &until) != 0) pthread_detach(thread);
  exists = false;
}

void forget_background_thread() {
  exists = false;
}

bool has_background_thread() {
  return exists;
}

}  // namespace xi::os
