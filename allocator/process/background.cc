#include "allocator/process/background.h"

#include "allocator/base/lock.h"
#include "allocator/heap/tick.h"
#include "allocator/os/background_thread.h"
#include "allocator/support/options.h"
#include "allocator/support/report.h"

namespace xi {

namespace {

constexpr int64_t kShortestPause = 10, kLongestPause = 1000;  // milliseconds

struct Background {
  Lock starting;  // held while the thread is started or stopped
  Lock working;   // held by the thread while it looks
};
constinit Background background;

uint32_t look() {
  LockGuard guard(background.working);
  purge_due();
  const int64_t delay = options.purge_delay;
  return static_cast<uint32_t>(delay < kShortestPause ? kShortestPause : delay > kLongestPause ? kLongestPause : delay);
}

[[gnu::destructor(101)]] void stop_at_exit() {
  LockGuard guard(background.starting);
  os::stop_background_thread();
}

}  // namespace

void follow_background_option() {
  LockGuard guard(background.starting);
  if (options.background_purge == 0) {
    os::stop_background_thread();
  } else if (const int error = os::start_background_thread(&look)) {
    warn_no_background_thread(error);
  }
}

void hold_background() {
  background.starting.lock();
  background.working.lock();
}

void release_background() {
  background.working.unlock();
  background.starting.unlock();
}

void forget_background() {
  os::forget_background_thread();
}

}  // namespace xi
