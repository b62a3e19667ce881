#include "harness/model/shadow_heap.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(heap.live_charge(), 0u);
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

}  // namespace
}  // namespace assay
