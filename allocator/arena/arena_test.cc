#include "allocator/arena/arena.h"

#include <cstring>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/arena/arena_set.h"
#include "allocator/os/clock.h"
#include "allocator/support/options.h"

namespace xi {
namespace {

class ArenaTest : public FreshAllocator {
 protected:
  SliceClaim claim(size_t count, size_t alignment = kSliceSize) {
    SliceClaim result;
    EXPECT_EQ(claim_slices(count, alignment, &result), 0);
    return result;
  }
  static char* start(const SliceClaim& claim) {
    return reinterpret_cast<char*>(claim.arena->address_of_slice(claim.first));
  }
  // These tests take slices without making pages of them: the fixture's check wants none to be left.
  void TearDown() override {
    for (size_t i = 0; Arena* const arena = arena_at(i); ++i) {
      EXPECT_EQ(arena->free.population(), arena->slice_count);
      EXPECT_TRUE(arena->is_valid());
    }
    FreshAllocator::TearDown();
  }
};

TEST_F(ArenaTest, SlicesAreCommittedZeroedAndDisjoint) {
  const SliceClaim a = claim(3), b = claim(70);
  EXPECT_TRUE(a.zero && b.zero);
  EXPECT_EQ(a.first + 3, b.first);
  memset(start(a), 1, 3 * kSliceSize);
  memset(start(b), 2, 70 * kSliceSize);
  EXPECT_TRUE(xi_debug_is_committed(start(a), 73 * kSliceSize));
  EXPECT_FALSE(xi_debug_is_committed(start(a), 73 * kSliceSize + 1));
  release_slices(a);
  release_slices(b);
}

TEST_F(ArenaTest, BitmapsThatContradictEachOtherAreSeen) {
  const SliceClaim a = claim(70);
  Arena* const arena = a.arena;
  ASSERT_TRUE(arena->is_valid());
  const size_t last = a.first + 69;
  arena->purge.set(last, 1);
  EXPECT_FALSE(arena->is_valid()) << "a slice in use waits for purge";
  arena->purge.clear(last, 1);
  // Not dirty either, which would be wrong by itself.
  arena->dirty.clear(last, 1);
  arena->committed.clear(last, 1);
  EXPECT_FALSE(arena->is_valid()) << "a slice in use is not committed";
  arena->committed.set(last, 1);
  arena->dirty.set(last, 1);
  arena->dirty.set(arena->slice_count - 1, 1);
  EXPECT_FALSE(arena->is_valid()) << "a slice is dirty that was never committed";
  arena->dirty.clear(arena->slice_count - 1, 1);
  EXPECT_TRUE(arena->is_valid());
  release_slices(a);
}

TEST_F(ArenaTest, NeighboursCoalesce) {
  const SliceClaim a = claim(2), b = claim(3), c = claim(1);
  release_slices(a);
  release_slices(b);
  const SliceClaim whole = claim(5);
  EXPECT_EQ(whole.first, a.first);
  release_slices(whole);
  release_slices(c);
}

TEST_F(ArenaTest, AlignmentIsThatOfTheAddress) {
  const SliceClaim one = claim(1);
  const SliceClaim aligned = claim(2, 4 * kMiB);
  EXPECT_TRUE(is_aligned(address_of(start(aligned)), 4 * kMiB));
  release_slices(one);
  release_slices(aligned);
}

TEST_F(ArenaTest, ReusedSlicesAreNotTakenForZeroUntilTheyArePurged) {
  const SliceClaim a = claim(2);
  memset(start(a), 7, 2 * kSliceSize);
  release_slices(a);
  const SliceClaim dirty = claim(2);
  EXPECT_EQ(dirty.first, a.first);
  EXPECT_FALSE(dirty.zero);
  release_slices(dirty);
  os::advance_clock(1000);
  purge_arenas(false);
  EXPECT_EQ(footprint().committed, 0u);
  const SliceClaim purged = claim(2);
  EXPECT_TRUE(purged.zero);
  EXPECT_EQ(start(purged)[kSliceSize], 0);
  release_slices(purged);
}

TEST_F(ArenaTest, PurgeWaitsForItsDelayAndSparesWhatIsInUse) {
  const SliceClaim a = claim(1), b = claim(1), c = claim(1);
  memset(start(b), 9, kSliceSize);
  release_slices(a);
  release_slices(c);
  os::advance_clock(static_cast<uint64_t>(options.purge_delay));
  purge_arenas(false);
  EXPECT_EQ(footprint().committed, 3 * kSliceSize);
  os::advance_clock(1);
  purge_arenas(false);
  EXPECT_EQ(footprint().committed, kSliceSize);
  EXPECT_EQ(start(b)[kSliceSize - 1], 9);
  release_slices(b);
}

TEST_F(ArenaTest, OptionsOfPurgeAreHonoured) {
  options.purge_delay = -1;
  release_slices(claim(4));
  os::advance_clock(1'000'000);
  purge_arenas(true);
  EXPECT_EQ(footprint().committed, 4 * kSliceSize);

  options.purge_delay = 0;
  options.purge_decommits = 0;
  const SliceClaim a = claim(4);
  memset(start(a), 1, kSliceSize);
  release_slices(a);
  EXPECT_EQ(footprint().committed, 4 * kSliceSize);
  const SliceClaim discarded = claim(4);
  EXPECT_TRUE(discarded.zero);
  EXPECT_EQ(*start(discarded), 0);

  options.purge_decommits = 1;
  release_slices(discarded);
  EXPECT_EQ(footprint().committed, 0u);
}

// Threads that claim, purge and release at the same time lose no byte, and no slice is purged twice: the fixture
// compares the statistic with the bitmaps.
void purge_under_load(int64_t decommits) {
  options.purge_delay = 0;
  options.purge_decommits = decommits;
  Atomic<bool> lost;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 1500; ++round) {
        SliceClaim mine;
        if (claim_slices(1 + static_cast<size_t>(round % 3), kSliceSize, &mine) != 0) continue;
        char* const start = reinterpret_cast<char*>(mine.arena->address_of_slice(mine.first));
        memset(start, t + 1, 64);
        purge_arenas(true);
        for (size_t i = 0; i < 64; ++i) {
          if (start[i] != t + 1) lost.store(true, kRelaxed);
        }
        release_slices(mine);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(lost.load(kRelaxed));
}

TEST_F(ArenaTest, DiscardUnderLoad) {
  release_slices(claim(1));
  purge_under_load(0);
}

TEST_F(ArenaTest, DecommitUnderLoad) {
  release_slices(claim(1));
  purge_under_load(1);
  purge_arenas(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ArenaTest, AFailedCommitLosesNothing) {
  const SliceClaim a = claim(1);
  FailCalls fail{kCommits, 1, true};
  fail.install();
  SliceClaim refused;
  EXPECT_NE(claim_slices(2, kSliceSize, &refused), 0);
  EXPECT_EQ(refused.arena, nullptr);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  const SliceClaim b = claim(2);
  EXPECT_EQ(b.first, a.first + 1);
  memset(start(b), 1, 2 * kSliceSize);
  release_slices(a);
  release_slices(b);
}

TEST_F(ArenaTest, WhatAFailedClaimCommittedGoesBack) {
  const SliceClaim a = claim(1), b = claim(1), c = claim(1);
  release_slices(a);
  release_slices(c);
  purge_arenas(true);
  release_slices(b);
  // Slices 0..2: only the middle one is committed, so that a claim of all takes two calls.
  FailCalls fail{kCommits, 2, true};
  fail.install();
  SliceClaim refused;
  EXPECT_NE(claim_slices(3, kSliceSize, &refused), 0);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  purge_arenas(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ArenaTest, AFailedPurgeIsTriedAgain) {
  release_slices(claim(2));
  FailCalls fail{kDiscards, 1};
  fail.install();
  purge_arenas(true);
  EXPECT_EQ(footprint().committed, 2 * kSliceSize);
  purge_arenas(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ArenaTest, AFailedDiscardIsTriedAgain) {
  options.purge_decommits = 0;
  for (const bool onwards : {false, true}) {
    const SliceClaim a = claim(2);
    release_slices(a);
    FailCalls fail{kDiscards, 1, onwards};
    fail.install();
    purge_arenas(true);
    EXPECT_GE(fail.seen, 1);
    EXPECT_TRUE(a.arena->purge.all_set(a.first, 2)) << "still scheduled";
    EXPECT_FALSE(a.arena->dirty.all_clear(a.first, 2)) << "what is there is not zero";
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    purge_arenas(true);
    EXPECT_TRUE(a.arena->dirty.all_clear(a.first, 2));
  }
}

// Not all that the system has left is for blocks: half would leave a thread no room for its stack.
TEST_F(ArenaTest, WhenTheSystemRefusesAQuarterIsReserved) {
  FailCalls fail{kReserves, 1};
  fail.install();
  const SliceClaim a = claim(1);
  EXPECT_EQ(a.arena->slice_count << kSliceShift, static_cast<size_t>(options.arena_reserve) / 4);
  release_slices(a);
}

TEST_F(ArenaTest, AndHalfWhereAQuarterWouldBeTooSmall) {
  options.arena_reserve = 16 * kMiB;
  FailCalls fail{kReserves, 1};
  fail.install();
  const SliceClaim a = claim(100);
  EXPECT_EQ(a.arena->slice_count << kSliceShift, 8 * kMiB);
  release_slices(a);
}

// Where there is little, the next takes less, so that a thread finds room for its stack after both.
TEST_F(ArenaTest, WhereTheSystemRefusesTheNextIsHalfOfTheLast) {
  options.arena_reserve = 64 * kMiB;
  FailCalls fail{kReserves, 1};
  fail.install();
  const SliceClaim a = claim(256);
  EXPECT_EQ(a.arena->slice_count << kSliceShift, 16 * kMiB);
  FailCalls again{kReserves, 1};
  again.install();
  const SliceClaim b = claim(100);
  EXPECT_EQ(b.arena->slice_count << kSliceShift, 8 * kMiB);
  FailCalls third{kReserves, 1};
  third.install();
  const SliceClaim c = claim(100);
  EXPECT_EQ(c.arena->slice_count << kSliceShift, 16 * kMiB) << "half of it would not hold the block";
  for (const SliceClaim& each : {a, b, c}) release_slices(each);
}

TEST_F(ArenaTest, AFullArenaIsFollowedByAnother) {
  options.arena_reserve = 16 * kMiB;
  const SliceClaim a = claim(200), b = claim(200);
  EXPECT_NE(a.arena, b.arena);
  release_slices(a);
  release_slices(b);
}

TEST_F(ArenaTest, TheLimitIsHonoured) {
  options.arena_reserve = 16 * kMiB;
  options.arena_limit = 16 * kMiB;
  const SliceClaim a = claim(256);
  SliceClaim refused;
  EXPECT_NE(claim_slices(1, kSliceSize, &refused), 0);
  release_slices(a);
  release_slices(claim(256));
}

TEST_F(ArenaTest, MetadataThatCannotBeMappedGivesTheRangeBack) {
  FailCalls fail{kMaps, 1, true};
  fail.install();
  SliceClaim refused;
  EXPECT_NE(claim_slices(1, kSliceSize, &refused), 0);
  EXPECT_EQ(footprint().mapped, 0u);
  EXPECT_EQ(mapped_bytes(), 0u);
}

}  // namespace
}  // namespace xi
