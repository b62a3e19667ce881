#include "allocator/os/clock.h"

#include <ctime>

#include "allocator/base/atomic.h"
#include "allocator/os/errno_keeper.h"

namespace xi::os {

#if defined(XIMALLOC_TEST_SEAMS)

namespace {
constinit Atomic<uint64_t> virtual_ms{0};
}

uint64_t clock_ms() {
  return virtual_ms.load(kRelaxed);
}
void advance_clock(uint64_t ms) {
  virtual_ms.fetch_add(ms, kRelaxed);
}
void reset_clock() {
  virtual_ms.store(0, kRelaxed);
}

#else

uint64_t clock_ms() {
  ErrnoKeeper keeper;
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

#endif

}  // namespace xi::os
