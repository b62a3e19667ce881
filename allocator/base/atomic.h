// The only home of std::atomic: every access that two threads may make at a time goes through Atomic<T>. In the sched
// flavour (XIMALLOC_SCHED_HOOKS) each access first calls a hook, so that a scheduler can choose who runs next; in all
// others Atomic<T> compiles to what std::atomic compiles to.
#pragma once

#include <atomic>
#include <cstdint>

namespace xi {

enum class Access : int { kLoad, kStore, kExchange, kCompareExchange, kUpdate };

inline constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
inline constexpr std::memory_order kAcquire = std::memory_order_acquire;
inline constexpr std::memory_order kRelease = std::memory_order_release;
inline constexpr std::memory_order kAcqRel = std::memory_order_acq_rel;

}  // namespace xi

#if defined(XIMALLOC_SCHED_HOOKS)
// Null, or called before each access with the address, the Access and the memory order.
extern "C" void (*xi_sched_hook)(const void* address, int kind, int order);
#define XI_BEFORE_ACCESS(kind, order) \
  (xi_sched_hook != nullptr ? xi_sched_hook(this, static_cast<int>(kind), static_cast<int>(order)) : void())
#else
#define XI_BEFORE_ACCESS(kind, order) static_cast<void>(0)
#endif

namespace xi {

template <class T>
class Atomic {
 public:
  constexpr Atomic() noexcept : value_(T{}) {}
  constexpr explicit Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order) const {
    XI_BEFORE_ACCESS(Access::kLoad, order);
    return value_.load(order);
  }

  void store(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kStore, order);
    value_.store(value, order);
  }

  T exchange(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kExchange, order);
    return value_.exchange(value, order);
  }

  // True when `expected` was there and `desired` has replaced it; otherwise `expected` becomes what was there. Fails
  // with relaxed order: no caller reads what the other thread published before it has succeeded.
  bool compare_exchange(T& expected, T desired, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kCompareExchange, order);
    return value_.compare_exchange_strong(expected, desired, order, kRelaxed);
  }

  T fetch_add(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kUpdate, order);
    return value_.fetch_add(value, order);
  }

  T fetch_sub(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kUpdate, order);
    return value_.fetch_sub(value, order);
  }

  T fetch_or(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kUpdate, order);
    return value_.fetch_or(value, order);
  }

  T fetch_and(T value, std::memory_order order) {
    XI_BEFORE_ACCESS(Access::kUpdate, order);
    return value_.fetch_and(value, order);
  }

 private:
  std::atomic<T> value_;
};

// A statistic. No decision of the allocator reads it, so that a schedule has no choice to make at it and no hook is
// called.
class Counter {
 public:
  constexpr Counter() noexcept = default;

  int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

}  // namespace xi
