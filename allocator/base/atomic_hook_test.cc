// Compiled with XIMALLOC_SCHED_HOOKS, into an executable of its own: every access must pass the hooks, once before it
// happens and once after.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "allocator/base/lock.h"

namespace xi {
namespace {

// A call of before(), or of after().
struct Seen {
  Access kind;
  std::memory_order order;
  int value_before;  // of the watched object, when before() was called
  bool wrote;
  uint64_t before, now;
};
std::vector<Seen> seen;
Atomic<int>* watched = nullptr;
bool fail_weak = false;
uint64_t older = 0;  // what a load gets instead, when not 0

bool note(const void* address, size_t size, int kind, int order) {
  const SchedHooks* const hooks = xi_sched_hooks;
  xi_sched_hooks = nullptr;
  EXPECT_EQ(address, static_cast<const void*>(watched));
  EXPECT_EQ(size, sizeof(int));
  seen.push_back(
      {static_cast<Access>(kind), static_cast<std::memory_order>(order), watched->load(kRelaxed), false, 0, 0});
  xi_sched_hooks = hooks;
  return fail_weak;
}

uint64_t note_result(bool wrote, uint64_t before, uint64_t now) {
  Seen& last = seen.back();
  last.wrote = wrote;
  last.before = before;
  last.now = now;
  return older != 0 ? older : before;
}

constexpr SchedHooks kHooks = {&note, &note_result};

TEST(AtomicHookTest, EachAccessIsAnnouncedOnceBeforeItHappensAndOnceAfter) {
  Atomic<int> value(7);
  watched = &value;
  seen.clear();
  xi_sched_hooks = &kHooks;
  EXPECT_EQ(value.load(kAcquire), 7);
  value.store(8, kRelease);
  EXPECT_EQ(value.exchange(9, kAcqRel), 8);
  int expected = 9;
  EXPECT_TRUE(value.compare_exchange(expected, 10, kAcqRel));
  EXPECT_FALSE(value.compare_exchange(expected, 11, kAcqRel));
  EXPECT_EQ(expected, 10);
  EXPECT_TRUE(value.compare_exchange_weak(expected, 10, kAcqRel));
  EXPECT_EQ(value.fetch_add(1, kRelaxed), 10);
  EXPECT_EQ(value.fetch_sub(1, kRelaxed), 11);
  EXPECT_EQ(value.fetch_or(1, kRelease), 10);
  EXPECT_EQ(value.fetch_and(3, kRelease), 11);
  expected = 0;
  EXPECT_FALSE(value.compare_exchange_to_lock(expected, 1));
  xi_sched_hooks = nullptr;

  using Row = std::tuple<Access, std::memory_order, int, bool, uint64_t, uint64_t>;
  const std::vector<Row> wanted = {{Access::kLoad, kAcquire, 7, false, 7, 7},
                                   {Access::kStore, kRelease, 7, true, 8, 8},
                                   {Access::kExchange, kAcqRel, 8, true, 8, 9},
                                   {Access::kCompareExchange, kAcqRel, 9, true, 9, 10},
                                   {Access::kCompareExchange, kAcqRel, 10, false, 10, 11},
                                   {Access::kCompareExchangeWeak, kAcqRel, 10, true, 10, 10},
                                   {Access::kUpdate, kRelaxed, 10, true, 10, 11},
                                   {Access::kUpdate, kRelaxed, 11, true, 11, 10},
                                   {Access::kUpdate, kRelease, 10, true, 10, 11},
                                   {Access::kUpdate, kRelease, 11, true, 11, 3},
                                   {Access::kLock, kAcquire, 3, false, 3, 1}};
  ASSERT_EQ(seen.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(Row(seen[i].kind, seen[i].order, seen[i].value_before, seen[i].wrote, seen[i].before, seen[i].now),
              wanted[i])
        << "access " << i;
  }
}

TEST(AtomicHookTest, ALoadReturnsWhatTheSchedulerSaysAndAWeakExchangeFailsWhenItSays) {
  Atomic<int> value(7);
  watched = &value;
  seen.clear();
  xi_sched_hooks = &kHooks;
  older = 3;
  EXPECT_EQ(value.load(kAcquire), 3);
  older = 0;
  fail_weak = true;
  int expected = 7;
  EXPECT_FALSE(value.compare_exchange_weak(expected, 8, kAcquire));
  EXPECT_EQ(expected, 7);
  EXPECT_TRUE(value.compare_exchange(expected, 8, kAcquire)) << "a strong one never fails so";
  fail_weak = false;
  xi_sched_hooks = nullptr;
  EXPECT_EQ(value.load(kRelaxed), 8);
}

TEST(AtomicHookTest, CountersAndTheTestersLocksAreNoChoicePoints) {
  seen.clear();
  Lock lock;
  xi_sched_hooks = &kHooks;
  Counter counter;
  counter.add(5);
  counter.add(-2);
  {
    SeamGuard guard(lock);
  }
  xi_sched_hooks = nullptr;
  EXPECT_EQ(counter.get(), 3);
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace xi
