// How one thread of a free run hands its slots to another: a release store when the operation is done, an acquire load
// by whoever waits for it, and nothing else, so that a race detector (and the processor) sees the order that the
// program has and no more. A flag that nobody waits for is never touched.
#pragma once

#include <atomic>
#include <cstdint>

namespace assay {

class DoneFlag {
 public:
  void set();
  bool is_set() const { return word_.load(std::memory_order_acquire) == kDone; }
  // Returns once it is set, or after some time; true when it is set.
  bool wait_a_while();

 private:
  static constexpr uint32_t kPending = 0, kDone = 1, kPendingWithSleepers = 2;
  std::atomic<uint32_t> word_{kPending};
};

}  // namespace assay
