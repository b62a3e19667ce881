// Memory of free blocks inside of pages that live on goes back, and the blocks are used again.
#include "allocator/page/page_purge.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"

namespace xi {
namespace {

constexpr size_t kKinds = XI_OS_PROCESS_MADVISE + 1;

// What the allocator asks the system to discard; a call of `refused` fails with `answer`.
struct Discards {
  std::vector<os::Range> seen;
  size_t calls[kKinds] = {};
  int refused[kKinds] = {};  // the number of the call, from 1; 0: none
  bool onwards = false;
  int answer = 12 /* ENOMEM */;

  void install() { xi_debug_set_os_hook(&before, &after, this); }
  size_t bytes() const {
    size_t sum = 0;
    for (const os::Range& range : seen) sum += range.size;
    return sum;
  }
  bool touches(const void* pointer, size_t size) const {
    const uintptr_t from = address_of(pointer);
    return std::any_of(seen.begin(), seen.end(),
                       [&](const os::Range& r) { return r.start < from + size && from < r.start + r.size; });
  }

 private:
  static int before(void* context, const xi_os_call_t* call) {
    auto* const self = static_cast<Discards*>(context);
    const auto number = static_cast<int>(++self->calls[call->kind]);
    const int refused = self->refused[call->kind];
    return refused != 0 && (number == refused || (self->onwards && number > refused)) ? self->answer : 0;
  }
  static void after(void* context, const xi_os_call_t* call, void* address) {
    auto* const self = static_cast<Discards*>(context);
    if (call->kind != XI_OS_MADVISE && call->kind != XI_OS_PROCESS_MADVISE) return;
    self->seen.push_back({address_of(address), call->size});
  }
};

class PagePurgeTest : public FreshAllocator {
 protected:
  static Page* page_of(const void* block) { return page_map::find(block); }
  // As many blocks as fill `pages` pages, each of its own byte.
  void fill(size_t size, size_t pages = 1) {
    size_ = size;
    Page* first = nullptr;
    size_t count = 0;
    do {
      blocks_.push_back(static_cast<char*>(xi_malloc(size)));
      memset(blocks_.back(), mark(blocks_.size() - 1), size);
      if (first == nullptr) {
        first = page_of(blocks_.back());
        count = pages * first->reserved;
      }
    } while (blocks_.size() < count);
  }
  static int mark(size_t index) { return static_cast<int>(index % 251 + 1); }
  void free_block(size_t index) {
    xi_free(blocks_[index]);
    blocks_[index] = nullptr;
  }
  void free_all_but(size_t step) {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (i % step != 0 && blocks_[i] != nullptr) free_block(i);
    }
  }
  void expect_intact() const {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i] == nullptr) continue;
      const bool intact =
          std::all_of(blocks_[i], blocks_[i] + size_, [i](char c) { return c == static_cast<char>(mark(i)); });
      EXPECT_TRUE(intact) << "block " << i;
    }
  }
  void free_rest() {
    for (char* block : blocks_) xi_free(block);
    blocks_.clear();
  }

  std::vector<char*> blocks_;
  size_t size_ = 0;
};

TEST_F(PagePurgeTest, CollectGivesBackWhatOnlyFreeBlocksReachInto) {
  for (const size_t size : {size_t{16}, size_t{48}, size_t{512}, size_t{1000}, size_t{4096}, size_t{7000},
                            size_t{30'000}, size_t{200'000}}) {
    xi_debug_reset();
    blocks_.clear();
    fill(size);
    Page* const page = page_of(blocks_[0]);
    const size_t per_os_page = size < kOsPageSize ? kOsPageSize / size + 1 : 1;
    free_all_but(4 * per_os_page);
    Discards discards;
    discards.install();
    xi_collect(true);
    ASSERT_GT(discards.bytes(), (page->slices << kSliceShift) / 3) << size;
    for (const char* block : blocks_) {
      if (block != nullptr) {
        EXPECT_FALSE(discards.touches(block, size)) << size;
      }
    }
    EXPECT_GT(page->purged_blocks, 0u) << size;
    EXPECT_EQ(structure_faults(), "") << size;
    expect_intact();

    // All is handed out again, each block once, before another page is taken.
    std::set<void*> seen(blocks_.begin(), blocks_.end());
    seen.erase(nullptr);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i] != nullptr) continue;
      blocks_[i] = static_cast<char*>(xi_malloc(size));
      EXPECT_EQ(page_of(blocks_[i]), page) << size;
      EXPECT_TRUE(seen.insert(blocks_[i]).second) << size;
      memset(blocks_[i], mark(i), size);
    }
    EXPECT_EQ(page->purged_blocks, 0u);
    EXPECT_EQ(page->used, page->reserved);
    EXPECT_EQ(structure_faults(), "");
    expect_intact();
    free_rest();
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  }
}

TEST_F(PagePurgeTest, CallocZeroesWhatComesBackEvenWhereTheSystemLeftRubbish) {
  for (const bool refused : {false, true}) {
    xi_debug_reset();
    blocks_.clear();
    fill(512);
    Page* const page = page_of(blocks_[0]);
    free_all_but(64);
    Discards discards;
    if (refused) {
      discards.refused[XI_OS_MADVISE] = discards.refused[XI_OS_PROCESS_MADVISE] = 1;
      discards.onwards = true;
      discards.answer = XI_OS_DIRTY;
    }
    discards.install();
    xi_collect(true);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_EQ(discards.seen.empty(), refused);
    EXPECT_EQ(page->purged_blocks == 0, refused);
    EXPECT_EQ(structure_faults(), "");
    expect_intact();
    for (char*& block : blocks_) {
      if (block != nullptr) continue;
      block = static_cast<char*>(xi_calloc(1, 512));
      EXPECT_EQ(page_of(block), page);
      EXPECT_EQ(std::count(block, block + 512, 0), 512);
      memset(block, mark(static_cast<size_t>(&block - blocks_.data())), 512);
    }
    expect_intact();
    free_rest();
  }
}

TEST_F(PagePurgeTest, WhatTheSystemRefusesStaysUsableAndIsTriedAgain) {
  fill(4096, 3);
  free_all_but(4);
  Discards discards;
  discards.refused[XI_OS_MADVISE] = 2;
  discards.refused[XI_OS_PROCESS_MADVISE] = 2;
  discards.onwards = true;
  discards.install();
  xi_collect(true);
  const size_t gone = discards.bytes();
  EXPECT_GT(discards.calls[XI_OS_MADVISE], 0u) << "what the batch left over is tried one by one";
  EXPECT_EQ(structure_faults(), "");
  discards.refused[XI_OS_MADVISE] = discards.refused[XI_OS_PROCESS_MADVISE] = 0;
  xi_collect(true);
  EXPECT_GT(discards.bytes(), gone);
  EXPECT_EQ(structure_faults(), "");
  expect_intact();
  const size_t again = discards.bytes();
  xi_collect(true);
  EXPECT_EQ(discards.bytes(), again) << "nothing goes twice";
  free_rest();
}

TEST_F(PagePurgeTest, ManyPagesGoInFewCalls) {
  fill(4096, 8);
  free_all_but(2);
  Discards discards;
  discards.install();
  xi_collect(true);
  EXPECT_GT(discards.calls[XI_OS_PROCESS_MADVISE], 40u);
  EXPECT_EQ(discards.calls[XI_OS_MADVISE], 0u);
  free_rest();
}

// A thread looks at its pages when it passes a slow path and the delay is over, not before and not again.
TEST_F(PagePurgeTest, ATickGivesBackAfterTheDelay) {
  xi_option_set(xi_option_page_purge_delay, 200);
  xi_free(xi_malloc(kMiB));  // A tick: the delay runs from here.
  fill(4096);
  free_all_but(4);
  Discards discards;
  discards.install();
  const auto pass = [] {
    for (int i = 0; i < 80; ++i) xi_free(xi_malloc(kMiB));
  };
  xi_debug_advance_clock(150);
  pass();
  EXPECT_EQ(page_of(blocks_[0])->purged_blocks, 0u);
  xi_debug_advance_clock(51);
  pass();
  EXPECT_GT(page_of(blocks_[0])->purged_blocks, 0u);
  EXPECT_EQ(structure_faults(), "");
  free_rest();
}

// As a program does that only replaces blocks of one size: it meets no slow path for want of a block.
TEST_F(PagePurgeTest, ATickPassesAlsoWhereTheFastPathFindsABlockEachTime) {
  fill(4096);
  free_all_but(4);
  xi_free(xi_malloc(64));
  Discards discards;
  discards.install();
  for (int round = 0; round < 3; ++round) {
    xi_debug_advance_clock(100);
    for (int i = 0; i < 70'000; ++i) xi_free(xi_malloc(64));
  }
  EXPECT_TRUE(discards.touches(page_of(blocks_[0]) != nullptr ? blocks_[0] + 4096 : nullptr, 4096));
  free_rest();
}

TEST_F(PagePurgeTest, NotAtAllWhereTheOptionSaysSo) {
  xi_option_set(xi_option_page_purge_delay, -1);
  fill(4096);
  free_all_but(4);
  Discards discards;
  discards.install();
  xi_collect(true);
  xi_debug_advance_clock(100'000);
  for (int i = 0; i < 80; ++i) xi_free(xi_malloc(kMiB));
  EXPECT_EQ(page_of(blocks_[0])->purged_blocks, 0u);
  EXPECT_FALSE(discards.touches(blocks_[0] + 4096, 4096));
  free_rest();
}

TEST_F(PagePurgeTest, PagesOfThreadsThatHaveEndedGiveBackToo) {
  std::thread([this] { fill(4096, 2); }).join();
  free_all_but(4);
  std::thread([] {
    Discards discards;
    discards.install();
    xi_collect(true);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_GT(discards.bytes(), 20 * kOsPageSize);
  }).join();
  EXPECT_EQ(structure_faults(), "");
  expect_intact();
  free_rest();
}

// Blocks that were never linked lie where an earlier page has left something.
TEST_F(PagePurgeTest, TheUnusedEndOfAPageOnUsedMemoryGoesBackOnce) {
  xi_option_set(xi_option_purge_delay, -1);
  xi_free(memset(xi_malloc(kMiB), 1, kMiB));
  void* const block = xi_malloc(8000);
  Page* const page = page_of(block);
  ASSERT_FALSE(page->memory_is_zero);
  ASSERT_LT(page->capacity, page->reserved);
  Discards discards;
  discards.install();
  xi_collect(true);
  EXPECT_TRUE(discards.touches(reinterpret_cast<void*>(page->start + kSliceSize - kOsPageSize), kOsPageSize));
  const size_t bytes = discards.bytes();
  xi_collect(true);
  EXPECT_EQ(discards.bytes(), bytes);
  xi_free(block);
}

TEST_F(PagePurgeTest, AHeapOfItsOwnGivesBackAndIsDestroyedWithBlocksInNoList) {
  xi_heap_t* const heap = xi_heap_new();
  std::vector<void*> blocks;
  for (size_t i = 0; i < kSliceSize / 4096; ++i) blocks.push_back(xi_heap_malloc(heap, 4096));
  for (size_t i = 1; i < blocks.size(); ++i) xi_free(blocks[i]);
  const Page* const page = page_of(blocks[0]);
  xi_heap_collect(heap, true);
  EXPECT_GT(page->purged_blocks, 0u);
  size_t visited = 0;
  xi_heap_visit_blocks(
      heap, true,
      [](const xi_heap_t*, const xi_heap_area_t*, void* block, size_t, void* context) {
        *static_cast<size_t*>(context) += block != nullptr;
        return true;
      },
      &visited);
  EXPECT_EQ(visited, 1u) << "what is in no list is no live block";
  xi_heap_destroy(heap);
  EXPECT_EQ(structure_faults(), "");
  // The next page there begins without any.
  fill(4096);
  EXPECT_EQ(page_of(blocks_[0])->purged_blocks, 0u);
  free_rest();
}

// All that four threads had, mixed sizes, is freed by whoever; each collects. Then the seam has as much as before.
TEST_F(PagePurgeTest, AfterAllIsFreedOnAllThreadsTheFootprintIsThatOfTheStart) {
  xi_free(xi_malloc(64));
  xi_collect(true);
  const uint64_t before = footprint().committed;
  constexpr size_t kThreads = 4;
  std::vector<void*> of_thread[kThreads];
  const auto on_each = [](const auto& work) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) threads.emplace_back([&work, t] { work(t); });
    for (std::thread& thread : threads) thread.join();
  };
  on_each([&](size_t t) {
    uint64_t state = t + 1;
    for (size_t bytes = 0; bytes < 8 * kMiB;) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const size_t size = 16 + (state >> 40) % (size_t{1} << (4 + (state >> 33) % 14));
      of_thread[t].push_back(memset(xi_malloc(size), 1, size));
      bytes += size;
    }
    for (size_t i = 0; i < of_thread[t].size(); i += 2) xi_free(of_thread[t][i]);
    xi_collect(true);
  });
  on_each([&](size_t t) {
    const std::vector<void*>& others = of_thread[(t + 1) % kThreads];
    for (size_t i = 1; i < others.size(); i += 2) xi_free(others[i]);
    xi_collect(true);
  });
  xi_debug_advance_clock(1000);
  xi_collect(true);
  EXPECT_LE(footprint().committed, before + 2 * kMiB);
  EXPECT_EQ(structure_faults(), "");
}

}  // namespace
}  // namespace xi
