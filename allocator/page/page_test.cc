#include "allocator/page/page.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace xi {
namespace {

class PageTest : public testing::Test {
 protected:
  static constexpr size_t kBlock = 1024;
  void SetUp() override { begin(true); }
  void begin(bool zero) {
    page_.begin({.start = address_of(memory_),
                 .slices = 1,
                 .block_size = kBlock,
                 .reserved = kSliceSize / kBlock,
                 .bin = Bin::of_size(kBlock),
                 .zero = zero,
                 .arena = nullptr});
  }
  void* take() { return page_.free != nullptr || page_.refill() ? page_.pop() : nullptr; }

  alignas(kSliceSize) char memory_[kSliceSize] = {};
  Page page_;
};

TEST_F(PageTest, HandsOutEachBlockOnceAndIsThenFull) {
  std::set<void*> blocks;
  while (void* const block = take()) {
    EXPECT_TRUE(page_.is_block(block));
    EXPECT_TRUE(blocks.insert(block).second);
    memset(block, 1, kBlock);
  }
  EXPECT_EQ(blocks.size(), kSliceSize / kBlock);
  EXPECT_EQ(*blocks.begin(), memory_);
  EXPECT_EQ(page_.available(), 0u);
  EXPECT_FALSE(page_.is_block(memory_ + 8));
}

TEST_F(PageTest, LinksOnlyAFewBlocksAtATime) {
  take();
  EXPECT_EQ(page_.capacity, kExtendBytes / kBlock);
}

TEST_F(PageTest, ABlockThatCameBackDoesNotCountAsZero) {
  void* const first = take();
  EXPECT_TRUE(page_.free_is_zero);
  while (page_.free != nullptr) page_.pop();
  page_.push_local(first);
  --page_.used;
  EXPECT_EQ(take(), first);
  EXPECT_FALSE(page_.free_is_zero);
  take();
  EXPECT_TRUE(page_.free_is_zero) << "blocks that are linked now were never used";
}

TEST_F(PageTest, DirtyMemoryIsNeverZero) {
  page_.end();
  begin(false);
  take();
  EXPECT_FALSE(page_.free_is_zero);
}

TEST_F(PageTest, RemoteFreesOfAnOwnedPageAreCollected) {
  void* const a = take();
  void* const b = take();
  std::thread([&] {
    EXPECT_FALSE(page_.push_thread_free(a));
    EXPECT_FALSE(page_.push_thread_free(b));
  }).join();
  EXPECT_EQ(page_.used, 2u);
  page_.collect_thread_free();
  EXPECT_EQ(page_.used, 0u);
  EXPECT_EQ(page_.local_free, b);
}

TEST_F(PageTest, TheFirstFreeIntoAReleasedPageClaimsIt) {
  void* const a = take();
  void* const b = take();
  EXPECT_TRUE(page_.try_release());
  EXPECT_TRUE(page_.push_thread_free(a));
  EXPECT_FALSE(page_.push_thread_free(b)) << "it has an owner again";
  EXPECT_FALSE(page_.try_claim());
  EXPECT_FALSE(page_.try_release()) << "blocks came back meanwhile";
  page_.collect_thread_free();
  EXPECT_EQ(page_.used, 0u);
  EXPECT_TRUE(page_.try_release());
  EXPECT_TRUE(page_.try_claim());
}

TEST_F(PageTest, ConcurrentRemoteFreesLoseNoBlock) {
  constexpr size_t kEach = kSliceSize / kBlock / 2;
  for (int round = 0; round < 300; ++round) {
    std::vector<void*> blocks;
    while (void* const block = take()) blocks.push_back(block);
    Atomic<int> ready;
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        ready.fetch_add(1, kRelaxed);
        while (ready.load(kRelaxed) < 2) continue;
        for (size_t i = t * kEach; i < (t + 1) * kEach; ++i) page_.push_thread_free(blocks[i]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    page_.collect_thread_free();
    ASSERT_EQ(page_.used, 0u) << "round " << round;
  }
}

TEST_F(PageTest, OneOfManyClaimersWins) {
  for (int round = 0; round < 500; ++round) {
    ASSERT_TRUE(page_.try_release());
    Atomic<int> winners;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] { winners.fetch_add(page_.try_claim() ? 1 : 0, kRelaxed); });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners.load(kRelaxed), 1);
  }
}

TEST_F(PageTest, MoreRemoteFreesThanBlocksInUseEndTheProcess) {
  void* const block = take();
  page_.push_thread_free(block);
  page_.used = 0;
  EXPECT_DEATH(page_.collect_thread_free(), "free lists of the page at .* are corrupt");
}

}  // namespace
}  // namespace xi
