// What ended threads have left: who may take it over, and a visit that sees it.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/config.h"
#include "allocator/base/patience.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/subprocess.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

struct Seen {
  std::multiset<void*> blocks;
  std::set<const xi_heap_t*> heaps;
  size_t used = 0, stop_at = SIZE_MAX;
};

bool note(const xi_heap_t* heap, const xi_heap_area_t* area, void* block, size_t, void* argument) {
  auto* const seen = static_cast<Seen*>(argument);
  seen->heaps.insert(heap);
  if (block == nullptr) {
    seen->used += area->used;
  } else {
    seen->blocks.insert(block);
  }
  return seen->blocks.size() < seen->stop_at;
}

Seen visit(xi_subproc_id_t subprocess, int tag = -1) {
  Seen seen;
  EXPECT_TRUE(xi_abandoned_visit_blocks(subprocess, tag, true, note, &seen));
  EXPECT_EQ(seen.blocks.size(), seen.used);
  EXPECT_EQ(structure_faults(), "");
  return seen;
}

class AbandonedVisitTest : public FreshAllocator {
 protected:
  // A thread allocates some of each size and ends; every third block is freed by the next thread, which has ended too.
  std::multiset<void*> leave(void* (*allocate)(size_t size)) {
    std::vector<void*> blocks;
    std::thread([&] {
      for (const size_t size : {8u, 100u, 1000u, 9000u, 100'000u, 3'000'000u}) {
        for (int i = 0; i < 120; ++i) blocks.push_back(allocate(size));
      }
      blocks.push_back(xi_aligned_alloc(size_t{1} << 30, 10));
    }).join();
    std::multiset<void*> live;
    std::thread([&] {
      for (size_t i = 0; i < blocks.size(); ++i) i % 3 == 1 ? xi_free(blocks[i]) : void(live.insert(blocks[i]));
    }).join();
    return live;
  }
  static void free_all(const std::multiset<void*>& blocks) {
    for (void* block : blocks) xi_free(block);
  }
};

TEST_F(AbandonedVisitTest, SeesEachLiveBlockAsOftenAsOneLooks) {
  const std::multiset<void*> live = leave(xi_malloc);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(visit(xi_subproc_main()).blocks, live) << "visit " << i;
  Seen areas;
  EXPECT_TRUE(xi_abandoned_visit_blocks(xi_subproc_main(), -1, false, note, &areas));
  EXPECT_TRUE(areas.blocks.empty());
  EXPECT_EQ(areas.used, live.size());
  Seen some;
  some.stop_at = 5;
  EXPECT_FALSE(xi_abandoned_visit_blocks(xi_subproc_main(), -1, true, note, &some));
  EXPECT_EQ(some.blocks.size(), 5u);
  // What is taken over is somebody's again.
  void* const mine = xi_malloc(1000);
  EXPECT_LT(visit(xi_subproc_main()).blocks.size(), live.size());
  xi_free(mine);
  free_all(live);
  EXPECT_TRUE(visit(xi_subproc_main()).blocks.empty());
}

TEST_F(AbandonedVisitTest, SeesTheHeapsThatThreadsHaveLeft) {
  static xi_heap_t* heap;
  const std::multiset<void*> own = leave(xi_malloc);
  const std::multiset<void*> tagged = leave([](size_t size) {
    if (size == 8 && xi_heap_get_default() == xi_heap_get_backing()) {
      heap = xi_heap_new_ex(7, true, nullptr);
      xi_heap_set_default(heap);
    }
    return xi_malloc(size);
  });
  void* const not_left = xi_malloc(10);
  EXPECT_EQ(visit(xi_subproc_main()).blocks.size(), own.size() + tagged.size());
  const Seen seen = visit(xi_subproc_main(), 7);
  EXPECT_EQ(seen.blocks, tagged);
  EXPECT_EQ(seen.heaps, std::set<const xi_heap_t*>{heap});
  const Seen untagged = visit(xi_subproc_main(), 0);
  EXPECT_EQ(untagged.blocks, own);
  EXPECT_EQ(untagged.heaps, std::set<const xi_heap_t*>{nullptr});
  xi_heap_destroy(heap);
  EXPECT_EQ(visit(xi_subproc_main()).blocks, own);
  free_all(own);
  xi_free(not_left);
}

TEST_F(AbandonedVisitTest, AVisitorMayAllocateAndFree) {
  const std::multiset<void*> live = leave(xi_malloc);
  const auto free_it = [](const xi_heap_t*, const xi_heap_area_t* area, void* block, size_t, void*) {
    if (block != nullptr) xi_free(block);
    xi_free(xi_malloc(area->block_size));
    return true;
  };
  EXPECT_TRUE(xi_abandoned_visit_blocks(xi_subproc_main(), -1, true, free_it, nullptr));
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  EXPECT_TRUE(visit(xi_subproc_main()).blocks.empty());
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

// Who frees a block has its page for a moment, and the blocks in it are as live as others.
TEST_F(AbandonedVisitTest, APageThatAnotherThreadHoldsIsWaitedFor) {
  const std::multiset<void*> live = leave(xi_malloc);
  Page* const page = page_map::find(*live.begin());
  ASSERT_TRUE(page->try_claim());
  std::atomic<bool> begun = false;
  std::thread walker([&] {
    begun = true;
    EXPECT_EQ(visit(xi_subproc_main()).blocks, live);
  });
  while (!begun) std::this_thread::yield();
  // Long enough for whoever loses patience.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  settle(page, nullptr);
  walker.join();
  free_all(live);
}

TEST_F(AbandonedVisitTest, APageThatWasLostInAForkIsNotWaitedForForEver) {
  const std::multiset<void*> live = leave(xi_malloc);
  Page* const page = page_map::find(*live.begin());
  ASSERT_TRUE(page->try_claim());
  Seen seen;
  threads_were_lost = true;
  EXPECT_TRUE(xi_abandoned_visit_blocks(xi_subproc_main(), -1, true, note, &seen));
  threads_were_lost = false;
  EXPECT_LT(seen.blocks.size(), live.size());
  settle(page, nullptr);
  EXPECT_EQ(visit(xi_subproc_main()).blocks, live);
  free_all(live);
}

TEST_F(AbandonedVisitTest, WhatCannotBeVisited) {
  Seen seen;
  const auto expect_refused = [&](xi_subproc_id_t subprocess, int tag, xi_block_visit_fun* visitor) {
    errno = 0;
    EXPECT_FALSE(xi_abandoned_visit_blocks(subprocess, tag, true, visitor, &seen));
    EXPECT_EQ(errno, EINVAL);
  };
  expect_refused(nullptr, -1, note);
  expect_refused(reinterpret_cast<xi_subproc_id_t>(&seen), -1, note);
  expect_refused(xi_subproc_main(), 256, note);
  expect_refused(xi_subproc_main(), -1, nullptr);
  errno = 0;
  EXPECT_FALSE(xi_heap_visit_blocks(xi_heap_get_default(), true, nullptr, nullptr));
  EXPECT_EQ(errno, EINVAL);
}

class SubprocessTest : public FreshAllocator {
 protected:
  // Blocks of a thread of the subprocess that has ended; half of its page is free.
  static std::vector<void*> leave(xi_subproc_id_t subprocess) {
    std::vector<void*> blocks;
    std::thread([&] {
      xi_subproc_add_current_thread(subprocess);
      for (int i = 0; i < 32; ++i) blocks.push_back(xi_malloc(1024));
    }).join();
    return blocks;
  }
  static Page* page_of(void* block) { return page_map::find(block); }
};

TEST_F(SubprocessTest, OnlyItsOwnThreadsTakePagesOver) {
  const xi_subproc_id_t one = xi_subproc_new(), other = xi_subproc_new();
  ASSERT_NE(one, nullptr);
  ASSERT_NE(one, other);
  std::vector<void*> blocks = leave(one);
  EXPECT_EQ(statistics.abandoned_pages.get(), 1);
  const auto takes_it = [&](xi_subproc_id_t subprocess) {
    bool took = false;
    std::thread([&] {
      if (subprocess != xi_subproc_main()) xi_subproc_add_current_thread(subprocess);
      void* const block = xi_malloc(1024);
      took = page_of(block) == page_of(blocks.front());
      // Nor by a free.
      xi_free(blocks.back());
      blocks.pop_back();
      took = took || page_of(blocks.front())->owner_id() != ThreadId::kNone;
      EXPECT_EQ(structure_faults(), "");
      xi_free(block);
    }).join();
    return took;
  };
  EXPECT_FALSE(takes_it(xi_subproc_main()));
  EXPECT_FALSE(takes_it(other));
  EXPECT_TRUE(takes_it(one));
  xi_collect(true);
  EXPECT_EQ(visit(one).blocks.size(), blocks.size());
  EXPECT_TRUE(visit(other).blocks.empty());
  EXPECT_TRUE(visit(xi_subproc_main()).blocks.empty());
  xi_subproc_delete(other);
  for (void* block : blocks) xi_free(block);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u) << "frees from anywhere end its pages";
  xi_subproc_delete(one);
}

TEST_F(SubprocessTest, WhenItEndsTheMainOneHasWhatItLeft) {
  const xi_subproc_id_t subprocess = xi_subproc_new();
  const std::vector<void*> blocks = leave(subprocess);
  xi_heap_t* heap = nullptr;
  void* in_heap = nullptr;
  std::thread([&] {
    xi_subproc_add_current_thread(subprocess);
    heap = xi_heap_new();
    in_heap = xi_heap_malloc(heap, 100);
  }).join();
  EXPECT_EQ(visit(subprocess).blocks.size(), blocks.size() + 1);
  errno = 0;
  xi_subproc_delete(subprocess);
  EXPECT_EQ(errno, 0);
  EXPECT_EQ(visit(xi_subproc_main()).blocks.size(), blocks.size() + 1);
  errno = 0;
  EXPECT_FALSE(xi_abandoned_visit_blocks(subprocess, -1, true, note, nullptr));
  EXPECT_EQ(errno, EINVAL) << "it has ended";
  void* const mine = xi_malloc(1024);
  EXPECT_EQ(page_of(mine), page_of(blocks.front()));
  xi_heap_delete(heap);
  EXPECT_EQ(structure_faults(), "");
  for (void* block : blocks) xi_free(block);
  xi_free(in_heap);
  xi_free(mine);
}

TEST_F(SubprocessTest, WhatIsRefused) {
  const xi_subproc_id_t subprocess = xi_subproc_new();
  errno = 0;
  xi_subproc_delete(xi_subproc_main());
  EXPECT_EQ(errno, EBUSY);
  for (const xi_subproc_id_t none : {xi_subproc_id_t{nullptr}, reinterpret_cast<xi_subproc_id_t>(&errno)}) {
    errno = 0;
    xi_subproc_delete(none);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    xi_subproc_add_current_thread(none);
    EXPECT_EQ(errno, EINVAL);
  }
  std::thread([&] {
    errno = 0;
    xi_subproc_add_current_thread(subprocess);
    xi_subproc_add_current_thread(subprocess);
    EXPECT_EQ(errno, 0);
    xi_subproc_add_current_thread(xi_subproc_main());
    EXPECT_EQ(errno, EBUSY);
    errno = 0;
    xi_subproc_delete(subprocess);
    EXPECT_EQ(errno, EBUSY) << "it has a thread";
    xi_thread_done();
    errno = 0;
    xi_subproc_add_current_thread(xi_subproc_main());
    EXPECT_EQ(errno, 0);
  }).join();
  std::thread([&] {
    FailCalls fail{kMaps, 1, true};
    fail.install();
    std::vector<xi_subproc_id_t> made;
    errno = 0;
    while (const xi_subproc_id_t one = xi_subproc_new()) made.push_back(one);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    xi_subproc_add_current_thread(subprocess);
    EXPECT_EQ(errno, ENOMEM);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    void* const block = xi_malloc(8);
    EXPECT_EQ(thread_state.backing->subprocess, 0) << "it has not joined";
    xi_free(block);
    for (const xi_subproc_id_t one : made) xi_subproc_delete(one);
  }).join();
  errno = 0;
  xi_subproc_delete(subprocess);
  EXPECT_EQ(errno, 0);
}

TEST_F(SubprocessTest, ThereAre255BesideTheMainOne) {
  std::vector<xi_subproc_id_t> all;
  while (const xi_subproc_id_t one = xi_subproc_new()) all.push_back(one);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(all.size(), kMaxSubprocesses - 1);
  EXPECT_EQ(statistics.heaps.get(), 0) << "they are no heaps";
  const std::vector<void*> blocks = leave(all[200]);
  EXPECT_EQ(visit(all[200]).blocks.size(), blocks.size());
  xi_subproc_delete(all[7]);
  EXPECT_NE(xi_subproc_new(), nullptr);
  for (void* block : blocks) xi_free(block);
}

}  // namespace
}  // namespace xi
