// A lock that may be all zero bytes: free. Spins a little, then sleeps on a futex. Needs no libc call that can be
// cancelled, and leaves errno alone.
#pragma once

#include <cstdint>

namespace assay::recorder {

class Lock {
 public:
  void acquire();
  void release();

 private:
  uint32_t word_;  // 0 free, 1 taken, 2 taken and somebody may sleep
};

class Locked {
 public:
  explicit Locked(Lock& lock) : lock_(lock) { lock_.acquire(); }
  ~Locked() { lock_.release(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Lock& lock_;
};

}  // namespace assay::recorder
