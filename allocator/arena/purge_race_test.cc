// Another thread's steps at exactly the worst moment: compiled with XIMALLOC_SCHED_HOOKS, and played by the hook
// itself, which may call the arena again since no lock is held there.
#include <gtest/gtest.h>

#include "allocator/arena/arena_set.h"
#include "allocator/os/memory.h"
#include "allocator/support/options.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

Arena* arena = nullptr;
const void* awaited = nullptr;  // the word that the purge is about to claim slices in

SliceClaim claim(size_t count) {
  SliceClaim result;
  EXPECT_EQ(claim_slices(count, kSliceSize, &result), 0);
  return result;
}

bool purge_by_another_thread(const void* address, size_t, int kind, int) {
  if (address != awaited || kind != static_cast<int>(Access::kCompareExchangeWeak)) return false;
  xi_sched_hooks = nullptr;
  awaited = nullptr;
  // It has freed slices of its own, so that a purge is due again, and takes all that is scheduled.
  release_slices(claim(5));
  purge_arenas(true);
  return false;
}

uint64_t as_it_is(bool, uint64_t before, uint64_t) {
  return before;
}

TEST(PurgeRaceTest, WhatAnotherThreadPurgedMeanwhileIsNotPurgedAgain) {
  release_slices(claim(3));
  arena = arena_at(0);
  awaited = arena->free.word_of(0);
  const int64_t purged_before = statistics.purged_bytes.get();
  const SchedHooks hooks = {&purge_by_another_thread, &as_it_is};
  xi_sched_hooks = &hooks;
  purge_arenas(true);
  xi_sched_hooks = nullptr;
  EXPECT_EQ(awaited, nullptr) << "the other thread has come in between";
  EXPECT_EQ(arena->committed.population(), 0u);
  EXPECT_EQ(statistics.committed_bytes.get(), 0);
  EXPECT_EQ(statistics.purged_bytes.get() - purged_before, static_cast<int64_t>(5 * kSliceSize));
  EXPECT_EQ(arena->free.population(), arena->slice_count);
  EXPECT_TRUE(arena->is_valid());
}

}  // namespace
}  // namespace xi
