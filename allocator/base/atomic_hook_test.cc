// Compiled with XIMALLOC_SCHED_HOOKS, into an executable of its own: every access must pass the hook before it happens.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "allocator/base/atomic.h"

namespace xi {
namespace {

struct Seen {
  const void* address;
  Access kind;
  std::memory_order order;
  int value_before;
};
std::vector<Seen> seen;
Atomic<int>* watched = nullptr;

void note(const void* address, int kind, int order) {
  xi_sched_hook = nullptr;
  seen.push_back({address, static_cast<Access>(kind), static_cast<std::memory_order>(order), watched->load(kRelaxed)});
  xi_sched_hook = &note;
}

TEST(AtomicHookTest, EachAccessIsAnnouncedOnceBeforeItHappens) {
  Atomic<int> value(7);
  watched = &value;
  xi_sched_hook = &note;
  EXPECT_EQ(value.load(kAcquire), 7);
  value.store(8, kRelease);
  EXPECT_EQ(value.exchange(9, kAcqRel), 8);
  int expected = 9;
  EXPECT_TRUE(value.compare_exchange(expected, 10, kAcqRel));
  EXPECT_EQ(value.fetch_add(1, kRelaxed), 10);
  EXPECT_EQ(value.fetch_sub(1, kRelaxed), 11);
  EXPECT_EQ(value.fetch_or(1, kRelease), 10);
  EXPECT_EQ(value.fetch_and(3, kRelease), 11);
  xi_sched_hook = nullptr;

  const std::vector<std::tuple<Access, std::memory_order, int>> wanted = {
      {Access::kLoad, kAcquire, 7},           {Access::kStore, kRelease, 7},   {Access::kExchange, kAcqRel, 8},
      {Access::kCompareExchange, kAcqRel, 9}, {Access::kUpdate, kRelaxed, 10}, {Access::kUpdate, kRelaxed, 11},
      {Access::kUpdate, kRelease, 10},        {Access::kUpdate, kRelease, 11}};
  ASSERT_EQ(seen.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(seen[i].address, static_cast<const void*>(&value));
    EXPECT_EQ(std::make_tuple(seen[i].kind, seen[i].order, seen[i].value_before), wanted[i]) << "access " << i;
  }
}

TEST(AtomicHookTest, ACounterIsNoChoicePoint) {
  seen.clear();
  xi_sched_hook = &note;
  Counter counter;
  counter.add(5);
  counter.add(-2);
  xi_sched_hook = nullptr;
  EXPECT_EQ(counter.get(), 3);
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace xi
