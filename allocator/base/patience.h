// For who waits until another thread has got out of something that takes a moment and has no lock.
#pragma once

#include <cstdint>

#include "allocator/base/atomic.h"

namespace xi {

// Lets another thread run. Defined in os/futex.cc.
extern void (*lock_yield)();

// Set in a forked child: what another thread held at the fork is held for ever there, and nowhere else.
inline constinit bool threads_were_lost = false;

class Patience {
 public:
  // True, after a while, when it is worth to look again: always, while whoever is waited for is there. False in a
  // forked child once it has taken so long that they must have been lost; the next wait is then a new one. A scheduler
  // is told, and lets others run before.
  bool wait() {
    announce(nullptr, 0, Access::kYield, kRelaxed);
    ++tries_;
    if (threads_were_lost && tries_ > kMost) {
      tries_ = 0;
      return false;
    }
    if (tries_ > kSpins) lock_yield();
    return true;
  }

 private:
  static constexpr uint64_t kSpins = 100, kMost = 200'000;
  uint64_t tries_ = 0;
};

}  // namespace xi
