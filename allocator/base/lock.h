// A lock of four bytes. It spins for a short while, then sleeps by pointers that os/ sets: base/ knows no system calls.
#pragma once

#include <cstdint>

#include "allocator/base/atomic.h"

#if defined(XIMALLOC_SCHED_HOOKS) && __has_feature(thread_sanitizer)
// Of TSan's runtime.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#define XIMALLOC_RACES_UNSEEN 1
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
#else
  explicit SeamGuard(Lock& lock) : lock_(&lock) {
#endif
    if (lock_ != nullptr) {
      lock_->lock();
      return;
    }
#if defined(XIMALLOC_RACES_UNSEEN)
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
  }
  ~SeamGuard() {
    if (lock_ != nullptr) {
      lock_->unlock();
      return;
    }
#if defined(XIMALLOC_RACES_UNSEEN)
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
  }
  SeamGuard(const SeamGuard&) = delete;
  SeamGuard& operator=(const SeamGuard&) = delete;

 private:
  Lock* lock_;
};
#endif

}  // namespace xi
