// The only home of std::atomic: every access that two threads may make at a time goes through Atomic<T>. In the sched
// flavours (XIMALLOC_SCHED_HOOKS) a scheduler is asked before each access, and may choose who runs next, what a load
// returns, and whether a weak exchange fails; in all others Atomic<T> compiles to what std::atomic compiles to.
#pragma once

#include <atomic>
#include <cstdint>

namespace xi {

// The same values, in the same order, as xi_access_kind_t of the public header.
enum class Access : int {
  kLoad,
  kStore,
  kExchange,
  kCompareExchange,
  kCompareExchangeWeak,
  kUpdate,      // fetch_add and its like
  kLock,        // the exchange that takes a Lock: its word is zero while the lock is free
  kSystemCall,  // no access, but something whose order between threads may matter
  kYield,       // no access: nothing can be done until another thread has changed something
};

inline constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
inline constexpr std::memory_order kAcquire = std::memory_order_acquire;
inline constexpr std::memory_order kRelease = std::memory_order_release;
inline constexpr std::memory_order kAcqRel = std::memory_order_acq_rel;

#if defined(XIMALLOC_SCHED_HOOKS)

// As xi_sched_hooks_t of the public header, which says what they are.
struct SchedHooks {
  bool (*before)(const void* address, size_t size, int kind, int order);
  uint64_t (*after)(bool wrote, uint64_t before, uint64_t now);
};

}  // namespace xi
// Null, or the scheduler's.
extern "C" const xi::SchedHooks* xi_sched_hooks;
namespace xi {

inline bool announce(const void* address, size_t size, Access kind, std::memory_order order) {
  return xi_sched_hooks != nullptr &&
         xi_sched_hooks->before(address, size, static_cast<int>(kind), static_cast<int>(order));
}

template <class T>
uint64_t access_word(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t word = 0;
  __builtin_memcpy(&word, &value, sizeof value);
  return word;
}

// What the access reads: `before`, or an older value when it is a load and the scheduler says so.
template <class T>
T observe(bool wrote, T before, T now) {
  if (xi_sched_hooks == nullptr) return before;
  const uint64_t word = xi_sched_hooks->after(wrote, access_word(before), access_word(now));
  __builtin_memcpy(&before, &word, sizeof before);
  return before;
}

#else

inline bool announce(const void*, size_t, Access, std::memory_order) {
  return false;
}
template <class T>
T observe(bool, T before, T) {
  return before;
}

#endif

#if defined(XIMALLOC_PLAIN_ATOMIC)
// What scripts/check_release.py compares the release build with: nothing but std::atomic.
template <class T>
class Atomic : public std::atomic<T> {
 public:
  constexpr Atomic() noexcept : std::atomic<T>(T{}) {}
  constexpr explicit Atomic(T value) noexcept : std::atomic<T>(value) {}
  bool compare_exchange(T& expected, T desired, std::memory_order order) {
    return this->compare_exchange_strong(expected, desired, order, kRelaxed);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order) {
    return std::atomic<T>::compare_exchange_weak(expected, desired, order, kRelaxed);
  }
  bool compare_exchange_to_lock(T& expected, T desired) {
    return this->compare_exchange_strong(expected, desired, kAcquire, kRelaxed);
  }
};
#else
template <class T>
class Atomic {
 public:
  constexpr Atomic() noexcept : value_(T{}) {}
  constexpr explicit Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order) const {
    announce(this, sizeof(T), Access::kLoad, order);
    const T value = value_.load(order);
    return observe(false, value, value);
  }

  void store(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kStore, order);
    value_.store(value, order);
    observe(true, value, value);
  }

  T exchange(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kExchange, order);
    return observe(true, value_.exchange(value, order), value);
  }

  // True when `expected` was there and `desired` has replaced it; otherwise `expected` becomes what was there. Fails
  // with relaxed order: no caller reads what the other thread published before it has succeeded.
  bool compare_exchange(T& expected, T desired, std::memory_order order) {
    announce(this, sizeof(T), Access::kCompareExchange, order);
    return finish(value_.compare_exchange_strong(expected, desired, order, kRelaxed), expected, desired);
  }

  // The same, but it may fail although `expected` was there: for loops.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order) {
    if (announce(this, sizeof(T), Access::kCompareExchangeWeak, order)) {
      expected = value_.load(kRelaxed);
      return finish(false, expected, desired);
    }
    return finish(value_.compare_exchange_weak(expected, desired, order, kRelaxed), expected, desired);
  }

  // For Lock: a scheduler lets the thread wait until the word is zero.
  bool compare_exchange_to_lock(T& expected, T desired) {
    announce(this, sizeof(T), Access::kLock, kAcquire);
    return finish(value_.compare_exchange_strong(expected, desired, kAcquire, kRelaxed), expected, desired);
  }

  T fetch_add(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kUpdate, order);
    const T before = value_.fetch_add(value, order);
    return observe(true, before, static_cast<T>(before + value));
  }

  T fetch_sub(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kUpdate, order);
    const T before = value_.fetch_sub(value, order);
    return observe(true, before, static_cast<T>(before - value));
  }

  T fetch_or(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kUpdate, order);
    const T before = value_.fetch_or(value, order);
    return observe(true, before, static_cast<T>(before | value));
  }

  T fetch_and(T value, std::memory_order order) {
    announce(this, sizeof(T), Access::kUpdate, order);
    const T before = value_.fetch_and(value, order);
    return observe(true, before, static_cast<T>(before & value));
  }

 private:
  static bool finish(bool done, T expected, T desired) {
    observe(done, expected, desired);
    return done;
  }

  std::atomic<T> value_;
};
#endif

// A statistic. No decision of the allocator reads it, so that a schedule has no choice to make at it and no hook is
// called.
class Counter {
 public:
  constexpr Counter() noexcept = default;

  int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void reset() { value_.store(0, std::memory_order_relaxed); }
  // For a counter that one thread alone writes: no read-modify-write.
  void add_as_only_writer(int64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  // A high-water mark.
  void raise_to(int64_t value) {
    int64_t seen = get();
    while (seen < value && !value_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) continue;
  }

 private:
  std::atomic<int64_t> value_{0};
};

// A setting: any thread may change it at any time, and who reads it takes what is there. No hook is called, since what
// changes settings in a tester's program waits for all other threads.
class Setting {
 public:
  constexpr Setting(int64_t value = 0) noexcept : value_(value) {}
  Setting(const Setting& other) noexcept : value_(int64_t{other}) {}
  Setting& operator=(const Setting& other) { return *this = int64_t{other}; }
  Setting& operator=(int64_t value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  operator int64_t() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_;
};

}  // namespace xi
