// A lock of four bytes. It spins for a short while, then sleeps by pointers that os/ sets: base/ knows no system calls.
#pragma once

#include <cstdint>

#include "allocator/base/atomic.h"

#if defined(XIMALLOC_SCHED_HOOKS)
// Of TSan's runtime, where there is one.
extern "C" __attribute__((weak)) void AnnotateIgnoreReadsAndWritesBegin(const char* file, int line);
extern "C" __attribute__((weak)) void AnnotateIgnoreReadsAndWritesEnd(const char* file, int line);
#endif

namespace xi {

// Sleeps while *word == value (may return early); wakes one sleeper. Defined in os/futex.cc.
extern void (*lock_sleep)(const void* word, uint32_t value);
extern void (*lock_wake)(const void* word);

class Lock {
 public:
  constexpr Lock() noexcept = default;

  void lock() {
    uint32_t expected = kFree;
    if (!state_.compare_exchange_to_lock(expected, kHeld)) lock_contended();
  }

  void unlock() {
    if (state_.exchange(kFree, kRelease) == kContended) lock_wake(&state_);
  }

  bool is_held() const { return state_.load(kRelaxed) != kFree; }

 private:
  static constexpr uint32_t kFree = 0, kHeld = 1, kContended = 2;
  void lock_contended();

  Atomic<uint32_t> state_{kFree};
};

class LockGuard {
 public:
  explicit LockGuard(Lock& lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock& lock_;
};

#if defined(XIMALLOC_TEST_SEAMS)
// Guards what only testers have. Under a scheduler one thread runs at a time and is never stopped while it holds such a
// lock, so that there it does nothing, and the tester's own locks are no choices of a schedule.
// (A race detector must not see what is done there: it knows nothing of the turns that the threads take.)
class SeamGuard {
 public:
#if defined(XIMALLOC_SCHED_HOOKS)
  explicit SeamGuard(Lock& lock) : lock_(xi_sched_hooks == nullptr ? &lock : nullptr) {
    if (lock_ == nullptr && AnnotateIgnoreReadsAndWritesBegin) AnnotateIgnoreReadsAndWritesBegin(__FILE__, __LINE__);
#else
  explicit SeamGuard(Lock& lock) : lock_(&lock) {
#endif
    if (lock_ != nullptr) lock_->lock();
  }
  ~SeamGuard() {
    if (lock_ != nullptr) lock_->unlock();
#if defined(XIMALLOC_SCHED_HOOKS)
    if (lock_ == nullptr && AnnotateIgnoreReadsAndWritesEnd) AnnotateIgnoreReadsAndWritesEnd(__FILE__, __LINE__);
#endif
  }
  SeamGuard(const SeamGuard&) = delete;
  SeamGuard& operator=(const SeamGuard&) = delete;

 private:
  Lock* lock_;
};
#endif

}  // namespace xi
