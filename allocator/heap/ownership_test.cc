// Pages change hands between threads.
#include "allocator/heap/ownership.h"

#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"

namespace xi {
namespace {

constexpr size_t kBlock = 1024;
constexpr size_t kBlocksPerPage = kSliceSize / kBlock;

class OwnershipTest : public FreshAllocator {
 protected:
  static void on_thread(const std::function<void()>& work) { std::thread(work).join(); }
  static std::vector<void*> fill_page() {
    std::vector<void*> blocks;
    for (size_t i = 0; i < kBlocksPerPage; ++i) blocks.push_back(xi_malloc(kBlock));
    return blocks;
  }
  static Page* page_of(void* block) { return page_map::find(block); }
  static bool is_owned(const Page* page) { return (page->thread_free.load(kRelaxed) & Page::kOwned) != 0; }
};

TEST_F(OwnershipTest, AFullPageLeavesTheSearchAndComesBackWhenFreedInto) {
  const std::vector<void*> blocks = fill_page();
  Page* const page = page_of(blocks[0]);
  EXPECT_TRUE(page->in_queue) << "it leaves when the search meets it";
  void* const next = xi_malloc(kBlock);
  EXPECT_NE(page_of(next), page);
  EXPECT_FALSE(page->in_queue);
  EXPECT_FALSE(is_owned(page));
  EXPECT_EQ(structure_faults(), "");

  xi_free(blocks[7]);
  EXPECT_TRUE(page->in_queue);
  EXPECT_EQ(page->owner.load(kRelaxed), thread_state.id);
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i != 7) xi_free(blocks[i]);
  }
  xi_free(next);
}

TEST_F(OwnershipTest, RemoteFreesIntoAFullPageMakeItFindableOnceThereIsRoom) {
  const std::vector<void*> blocks = fill_page();
  Page* const page = page_of(blocks[0]);
  void* const next = xi_malloc(kBlock);
  on_thread([&] {
    for (size_t i = 0; i < kBlocksPerPage / 8 - 1; ++i) xi_free(blocks[i]);
    EXPECT_FALSE(page->is_abandoned);
    xi_free(blocks[kBlocksPerPage / 8]);
    EXPECT_TRUE(page->is_abandoned);
    EXPECT_EQ(abandoned_pages(page->bin), 1u);
    EXPECT_EQ(structure_faults(), "");
    // Anyone may take it.
    void* const reused = xi_malloc(kBlock);
    EXPECT_EQ(page_of(reused), page);
    EXPECT_EQ(page->owner.load(kRelaxed), thread_state.id);
    EXPECT_EQ(abandoned_pages(page->bin), 0u);
    xi_free(reused);
  });
  xi_free(blocks[kBlocksPerPage / 8 - 1]);
  for (size_t i = kBlocksPerPage / 8 + 1; i < kBlocksPerPage; ++i) xi_free(blocks[i]);
  xi_free(next);
}

TEST_F(OwnershipTest, TheLastRemoteFreeEndsAPageWithoutOwner) {
  const std::vector<void*> blocks = fill_page();
  void* const next = xi_malloc(kBlock);
  on_thread([&] {
    for (void* block : blocks) xi_free(block);
  });
  EXPECT_EQ(page_of(blocks[0]), nullptr);
  xi_free(next);
}

TEST_F(OwnershipTest, AHugeBlockIsFreedByAnyThread) {
  void* const block = xi_malloc(5 * kMiB);
  memset(block, 1, 5 * kMiB);
  on_thread([&] { xi_free(block); });
  EXPECT_EQ(page_of(block), nullptr);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(OwnershipTest, AThreadLeavesItsPagesToOthers) {
  std::vector<void*> blocks;
  on_thread([&] {
    for (int i = 0; i < 10; ++i) {
      blocks.push_back(xi_malloc(kBlock));
      memset(blocks.back(), i, kBlock);
    }
  });
  Page* const page = page_of(blocks[0]);
  EXPECT_TRUE(page->is_abandoned);
  EXPECT_EQ(page->heap.load(kRelaxed), &main_orphans);
  EXPECT_EQ(structure_faults(), "");
  void* const adopted = xi_malloc(kBlock);
  EXPECT_EQ(page_of(adopted), page);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(static_cast<char*>(blocks[static_cast<size_t>(i)])[kBlock - 1], i);
    xi_free(blocks[static_cast<size_t>(i)]);
  }
  xi_free(adopted);
}

// Its own pages it never looks at again, and so they would become more and more.
TEST_F(OwnershipTest, AThreadThatOnlyFreesTakesOverFewPages) {
  constexpr size_t kPages = 40;
  std::vector<void*> blocks;
  void* const own = xi_malloc(1);  // a thread without a heap takes over nothing
  on_thread([&] {
    for (size_t i = 0; i < kPages * kBlocksPerPage; ++i) blocks.push_back(xi_malloc(kBlock));
  });
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 4 != 0) xi_free(blocks[i]);
  }
  const Bin bin = Bin::of_size(kBlock);
  EXPECT_EQ(abandoned_pages(bin), kPages - 4);
  EXPECT_EQ(structure_faults(), "");
  // The rest is there for whoever allocates.
  on_thread([&] {
    void* const block = xi_malloc(kBlock);
    EXPECT_EQ(abandoned_pages(bin), kPages - 5);
    xi_free(block);
  });
  for (size_t i = 0; i < blocks.size(); i += 4) xi_free(blocks[i]);
  xi_free(own);
}

TEST_F(OwnershipTest, OfLargePagesOneIsEnough) {
  constexpr size_t kLarge = 300 * kKiB;
  std::vector<void*> blocks;
  void* const own = xi_malloc(1);
  on_thread([&] {
    for (size_t i = 0; i < 64; ++i) blocks.push_back(xi_malloc(kLarge));
  });
  const Bin bin = page_of(blocks[0])->bin;
  for (size_t i = 0; i < blocks.size(); i += 2) xi_free(blocks[i]);
  size_t owned = 0;
  const Page* before = nullptr;
  for (size_t i = 1; i < blocks.size(); i += 2) {
    const Page* const page = page_of(blocks[i]);
    owned += page != before && page->owner.load(kRelaxed) == thread_state.id ? 1 : 0;
    before = page;
  }
  EXPECT_EQ(owned, 1u);
  EXPECT_GT(abandoned_pages(bin), 1u);
  for (size_t i = 1; i < blocks.size(); i += 2) xi_free(blocks[i]);
  xi_free(own);
}

// Workers come and go, replace most blocks, and the main thread frees some of them: what is live stays the same.
TEST_F(OwnershipTest, ShortThreadsBesideOneThatOnlyFreesDoNotGrow) {
  constexpr size_t kLive = 512;
  std::vector<void*> live(kLive);
  uint32_t seed = 1;
  const auto drawn = [&seed] { return (seed = seed * 1103515245 + 12345) >> 8; };
  size_t early = 0;
  void* const own = xi_malloc(1);
  for (int round = 1; round <= 60; ++round) {
    on_thread([&] {
      for (int i = 0; i < 1000; ++i) {
        void*& slot = live[drawn() % kLive];
        xi_free(slot);
        slot = xi_malloc(32 + drawn() % 16384);
      }
    });
    for (int i = 0; i < 64; ++i) {
      void*& slot = live[drawn() % kLive];
      xi_free(slot);
      slot = nullptr;
    }
    if (round == 20) early = footprint().committed;
  }
  EXPECT_LT(footprint().committed, early * 3 / 2);
  for (void* block : live) xi_free(block);
  xi_free(own);
}

TEST_F(OwnershipTest, APageThatSomeoneHasClaimedIsNotReclaimed) {
  void* block = nullptr;
  on_thread([&] {
    block = xi_malloc(kBlock);
    EXPECT_NE(xi_malloc(kBlock), nullptr);
  });
  Page* const page = page_of(block);
  ASSERT_TRUE(page->is_abandoned);
  ASSERT_TRUE(page->try_claim()) << "as another thread would, which has not cleared the bit yet";
  void* const mine = xi_malloc(kBlock);
  EXPECT_NE(page_of(mine), page);
  EXPECT_EQ(page->owner.load(kRelaxed), ThreadId::kNone);
  ASSERT_TRUE(page->try_release());
  xi_free(mine);
  xi_free(block);
}

// A bit that was read before its page became another one: the claim succeeds, and the page is left as it was.
TEST_F(OwnershipTest, AStaleBitLeadsToNoReclaim) {
  const std::vector<void*> blocks = fill_page();
  Page* const page = page_of(blocks[0]);
  void* const next = xi_malloc(kBlock);
  ASSERT_FALSE(page->in_queue);
  const Bin other = Bin::of_size(500);
  // There is a page to find behind the stale bit, so that the search does not end before it begins.
  void* left = nullptr;
  on_thread([&] { left = xi_malloc(500); });
  ASSERT_TRUE(page_of(left)->is_abandoned);
  page->arena->set_abandoned(other.index(), page->first_slice(), true);
  void* const in_other_bin = xi_malloc(500);
  EXPECT_EQ(page_of(in_other_bin), page_of(left));
  EXPECT_FALSE(is_owned(page));
  EXPECT_FALSE(page->in_queue);
  page->arena->set_abandoned(other.index(), page->first_slice(), false);
  for (void* block : blocks) xi_free(block);
  xi_free(next);
  xi_free(in_other_bin);
  xi_free(left);
}

TEST_F(OwnershipTest, AFreeIntoThePageOfAnEndedThreadAdoptsIt) {
  void* const mine = xi_malloc(16);
  void* block = nullptr;
  void* other = nullptr;
  on_thread([&] {
    block = xi_malloc(kBlock);
    other = xi_malloc(kBlock);
  });
  xi_free(block);
  EXPECT_EQ(page_of(other)->owner.load(kRelaxed), thread_state.id);
  xi_free(other);
  xi_free(mine);
}

TEST_F(OwnershipTest, AThreadThatEndsWithNothingInUseLeavesNothing) {
  on_thread([] {
    for (size_t size = 1; size < 2'000'000; size *= 3) xi_free(xi_malloc(size));
  });
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(OwnershipTest, ThreadChurnDoesNotGrow) {
  uint64_t after_first = 0;
  for (int round = 0; round < 50; ++round) {
    on_thread([] {
      for (int i = 0; i < 40; ++i) xi_free(xi_malloc(static_cast<size_t>(i) * 500));
    });
    xi_collect(true);
    if (round == 0) after_first = footprint().committed;
  }
  EXPECT_EQ(footprint().committed, after_first);
}

TEST_F(OwnershipTest, CollectReachesOtherThreadsAtTheirNextSlowPath) {
  void* const keep = xi_malloc(16);
  xi_free(xi_malloc(100'000));
  const uint64_t before = footprint().committed;
  on_thread([] { xi_collect(true); });
  EXPECT_EQ(footprint().committed, before) << "the page is this thread's, and kept for a while";
  void* const slow = xi_malloc(3000);
  on_thread([] { xi_collect(true); });
  EXPECT_LT(footprint().committed, before);
  xi_free(keep);
  xi_free(slow);
}

TEST_F(OwnershipTest, ProducersAndConsumersLoseNoBlock) {
  constexpr int kRounds = 200, kBatch = 300;
  for (int round = 0; round < kRounds / 50; ++round) {
    std::vector<std::thread> threads;
    std::vector<std::vector<void*>> boxes(3);
    std::vector<Atomic<int>> ready(3);
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kBatch; ++i) {
          auto* const block = static_cast<char*>(xi_malloc(size_t{8} << (i % 10)));
          memset(block, static_cast<int>(t), size_t{8} << (i % 10));
          boxes[t].push_back(block);
        }
        ready[t].store(1, kRelease);
        const size_t from = (t + 1) % 3;
        while (ready[from].load(kAcquire) == 0) std::this_thread::yield();
        for (size_t i = 0; i < boxes[from].size(); ++i) {
          EXPECT_EQ(*static_cast<char*>(boxes[from][i]), static_cast<char>(from));
          xi_free(boxes[from][i]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

}  // namespace
}  // namespace xi
