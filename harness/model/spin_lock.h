// A lock that does nothing until several threads need it. Spins and yields: what it guards takes well below a
// microsecond, and a futex would order the threads in the eyes of a race detector, which intercepts no spinning here
// (the files that use it are compiled without).
#pragma once

#include <sched.h>

#include <atomic>

namespace assay {

class SpinLock {
 public:
  void enable() { enabled_ = true; }
  void disable() { enabled_ = false; }

  class Guard {
   public:
    explicit Guard(SpinLock& lock) : lock_(lock) {
      if (lock_.enabled_) lock_.acquire();
    }
    ~Guard() {
      if (lock_.enabled_) lock_.held_.store(false, std::memory_order_release);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    SpinLock& lock_;
  };

 private:
  static constexpr int kSpins = 64;

  void acquire() {
    for (int spins = 0; held_.exchange(true, std::memory_order_acquire); ++spins) {
      if (spins >= kSpins) sched_yield();
    }
  }

  std::atomic<bool> held_{false};
  bool enabled_ = false;
};

}  // namespace assay
