// For who waits until another thread has got out of something that takes a moment and has no lock.
#pragma once

#include "allocator/base/atomic.h"

namespace xi {

// Lets another thread run. Defined in os/futex.cc.
extern void (*lock_yield)();

class Patience {
 public:
  // True, after a while, when it is worth to look again. False once it has taken so long that whoever is waited for
  // must have been lost in a fork; the next wait is then a new one. A scheduler is told, and lets others run before.
  bool wait() {
    announce(nullptr, 0, Access::kYield, kRelaxed);
    if (++tries_ > kMost) {
      tries_ = 0;
      return false;
    }
    if (tries_ > kSpins) lock_yield();
    return true;
  }

 private:
  static constexpr int kSpins = 100, kMost = 1'000;
  int tries_ = 0;
};

}  // namespace xi
