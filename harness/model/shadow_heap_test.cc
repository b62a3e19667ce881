#include "harness/model/shadow_heap.h"

#include <gtest/gtest.h>

#include <thread>

namespace assay {
namespace {

Block block_at(uintptr_t address, uint64_t size) {
  Block block;
  block.address = address;
  block.requested = block.usable = block.charge = size;
  return block;
}

TEST(ShadowHeap, NamesTheBlockThatIsOverlapped) {
  ShadowHeap heap;
  EXPECT_EQ(heap.insert(3, block_at(0x10000, 100)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.insert(4, block_at(0x10000 + 96, 8)), 3u);
  EXPECT_FALSE(heap.live(4));
  EXPECT_EQ(heap.live_blocks(), 1u);
}

TEST(ShadowHeap, BlocksOfNoBytesHaveAddressesOfTheirOwn) {
  ShadowHeap heap;
  EXPECT_EQ(heap.insert(0, block_at(0x20000, 0)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.insert(1, block_at(0x20000, 0)), 0u);
}

// What the system takes away where they lie is nobody's.
TEST(ShadowHeap, ABlockOfNoBytesHasNoneToLose) {
  ShadowHeap heap;
  EXPECT_EQ(heap.insert(0, block_at(0x20000, 0)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.find_overlap(0x20000, 4096), 0u);
  EXPECT_EQ(heap.find_bytes(0x20000, 4096), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.insert(1, block_at(0x20800, 1)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.find_bytes(0x20000, 4096), 1u);
  EXPECT_EQ(heap.find_bytes(0x20000, 0x800), ShadowHeap::kNoSlot);
}

// An allocator may pack blocks of a few bytes into one granule of the map.
TEST(ShadowHeap, BlocksThatShareAGranuleDoNotOverlap) {
  ShadowHeap heap;
  EXPECT_EQ(heap.insert(0, block_at(0x30000, 3)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.insert(1, block_at(0x30003, 3)), ShadowHeap::kNoSlot);
  EXPECT_EQ(heap.insert(2, block_at(0x30005, 1)), 1u);
  heap.remove(0);
  EXPECT_EQ(heap.insert(2, block_at(0x30004, 1)), 1u);
  EXPECT_EQ(heap.insert(2, block_at(0x30000, 3)), ShadowHeap::kNoSlot);
}

TEST(ShadowHeap, ClearForgetsLiveBlocks) {
  ShadowHeap heap;
  EXPECT_EQ(heap.insert(70'000, block_at(0x40000, uint64_t{3} << 20)), ShadowHeap::kNoSlot);
  heap.clear();
  EXPECT_FALSE(heap.live(70'000));
  EXPECT_EQ(heap.judged_charge(), 0u);
  EXPECT_EQ(heap.insert(1, block_at(0x40000, 64)), ShadowHeap::kNoSlot);
}

TEST(ShadowHeap, RemembersWhoWasThereBefore) {
  ShadowHeap heap;
  heap.remember_freed(5, block_at(0x50000, 64), {7, 2});
  heap.remember_freed(6, block_at(0x60000, 64), {8, 0});
  ASSERT_NE(heap.find_freed(0x50010), nullptr);
  EXPECT_EQ(heap.find_freed(0x50010)->slot, 5u);
  EXPECT_EQ(heap.find_freed(0x50010)->freed.line, 7u);
  EXPECT_EQ(heap.find_freed(0x50040), nullptr);
}

// Two threads, each with slots of its own, in one stretch of memory: no sum is lost, and what overlaps is seen.
TEST(ShadowHeap, SharedByThreadsCountsAndFindsOverlaps) {
  constexpr uint64_t kSlotsEach = 200;
  constexpr int kRounds = 200;
  ShadowHeap heap;
  heap.share(2 * kSlotsEach + 1);
  const auto block_of = [](uint64_t slot) {
    Block block;
    block.address = 0x5000'0000 + slot * 24;
    block.requested = block.usable = 24;
    block.charge = 32;
    return block;
  };
  const auto fill_and_empty = [&](uint64_t first) {
    for (int round = 0; round < kRounds; ++round) {
      for (uint64_t slot = first; slot < 2 * kSlotsEach; slot += 2) {
        ASSERT_EQ(heap.insert(slot, block_of(slot)), ShadowHeap::kNoSlot);
      }
      if (round + 1 == kRounds) break;
      for (uint64_t slot = first; slot < 2 * kSlotsEach; slot += 2) heap.remove(slot);
    }
  };
  std::thread other(fill_and_empty, 1);
  fill_and_empty(0);
  other.join();
  EXPECT_EQ(heap.live_blocks(), 2 * kSlotsEach);
  EXPECT_EQ(heap.judged_charge(), 2 * kSlotsEach * 32);
  EXPECT_EQ(heap.live_extent(), 2 * kSlotsEach * 24);
  EXPECT_EQ(heap.insert(2 * kSlotsEach, block_of(7)), 7u);
  heap.clear();
  EXPECT_EQ(heap.slot_count(), 0u);
}

// A thread that is stopped in a question about a block goes on with what it knows of it.
TEST(ShadowHeap, WhereRoomWasMadeNothingMoves) {
  constexpr uint64_t kLast = 60'000;
  ShadowHeap heap;
  heap.make_room(kLast + 1, 0);
  Block block;
  block.address = 0x10000;
  heap.insert(0, block);
  const Block* const before = &heap.at(0);
  block.address = 0x20000;
  heap.insert(kLast, block);
  EXPECT_EQ(&heap.at(0), before);
}

}  // namespace
}  // namespace assay
