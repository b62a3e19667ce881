// Heaps that a program makes.
#include <cerrno>
#include <cstring>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

class HeapApiTest : public FreshAllocator {
 protected:
  static size_t opaque(size_t value) {
    volatile size_t copy = value;
    return copy;
  }
  static void expect_refused(int error, void* result) {
    EXPECT_EQ(result, nullptr);
    EXPECT_EQ(errno, error);
    errno = 0;
  }
};

TEST_F(HeapApiTest, EachFunctionServesFromItsHeap) {
  xi_heap_t* const heap = xi_heap_new();
  ASSERT_NE(heap, nullptr);
  const auto expect_block = [heap](void* block, size_t size, size_t alignment, size_t offset) {
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(xi_heap_check_owned(heap, block));
    EXPECT_TRUE(xi_heap_contains_block(heap, block));
    EXPECT_FALSE(xi_heap_check_owned(xi_heap_get_backing(), block));
    EXPECT_FALSE(xi_check_owned(block));
    EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment));
    EXPECT_GE(xi_usable_size(block), size);
    memset(block, 0x5a, size);
    xi_free(block);
  };
  expect_block(xi_heap_malloc(heap, 100), 100, 16, 0);
  expect_block(xi_heap_malloc(heap, kMiB), kMiB, 16, 0);
  expect_block(xi_heap_zalloc(heap, 100), 100, 16, 0);
  expect_block(xi_heap_calloc(heap, 10, 30), 300, 16, 0);
  expect_block(xi_heap_mallocn(heap, 10, 30), 300, 16, 0);
  expect_block(xi_heap_malloc_small(heap, 100), 100, 16, 0);
  expect_block(xi_heap_zalloc_small(heap, 100), 100, 16, 0);
  expect_block(xi_heap_malloc_aligned(heap, 100, 256), 100, 256, 0);
  expect_block(xi_heap_malloc_aligned_at(heap, 100, 256, 24), 100, 256, 24);
  expect_block(xi_heap_zalloc_aligned(heap, 100, 1 << 20), 100, 1 << 20, 0);
  expect_block(xi_heap_zalloc_aligned_at(heap, 100, 256, 24), 100, 256, 24);
  expect_block(xi_heap_calloc_aligned(heap, 10, 30, 256), 300, 256, 0);
  expect_block(xi_heap_calloc_aligned_at(heap, 10, 30, 256, 24), 300, 256, 24);
  expect_block(xi_heap_strdup(heap, "text"), 5, 1, 0);
  expect_block(xi_heap_strndup(heap, "text", 2), 3, 1, 0);
  expect_block(xi_heap_realpath(heap, "/usr/..", nullptr), 2, 1, 0);
  expect_block(xi_heap_alloc_new(heap, 100), 100, 16, 0);
  expect_block(xi_heap_alloc_new_n(heap, 10, 30), 300, 16, 0);
  EXPECT_THROW(static_cast<void>(xi_heap_alloc_new(heap, opaque(SIZE_MAX))), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_heap_alloc_new_n(heap, opaque(SIZE_MAX), 2)), std::bad_alloc);
  xi_heap_delete(heap);
}

TEST_F(HeapApiTest, EachResizeKeepsTheContentsAndMovesIntoItsHeap) {
  xi_heap_t* const heap = xi_heap_new();
  const auto expect_kept = [heap](const char* what, void* block, size_t alignment, size_t offset) {
    ASSERT_NE(block, nullptr) << what;
    EXPECT_TRUE(xi_heap_check_owned(heap, block)) << what;
    EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment)) << what;
    EXPECT_STREQ(static_cast<char*>(block), "contents") << what;
    xi_free(block);
  };
  const auto elsewhere = [] { return strcpy(static_cast<char*>(xi_zalloc(64)), "contents"); };
  expect_kept("realloc", xi_heap_realloc(heap, elsewhere(), 60), 16, 0);
  expect_kept("reallocn", xi_heap_reallocn(heap, elsewhere(), 6, 10), 16, 0);
  expect_kept("reallocf", xi_heap_reallocf(heap, elsewhere(), 5000), 16, 0);
  expect_kept("rezalloc", xi_heap_rezalloc(heap, elsewhere(), 60), 16, 0);
  expect_kept("recalloc", xi_heap_recalloc(heap, elsewhere(), 6, 10), 16, 0);
  expect_kept("realloc_aligned", xi_heap_realloc_aligned(heap, elsewhere(), 60, 256), 256, 0);
  expect_kept("realloc_aligned_at", xi_heap_realloc_aligned_at(heap, elsewhere(), 60, 256, 24), 256, 24);
  expect_kept("rezalloc_aligned", xi_heap_rezalloc_aligned(heap, elsewhere(), 60, 256), 256, 0);
  expect_kept("rezalloc_aligned_at", xi_heap_rezalloc_aligned_at(heap, elsewhere(), 60, 256, 24), 256, 24);
  expect_kept("recalloc_aligned", xi_heap_recalloc_aligned(heap, elsewhere(), 6, 10, 256), 256, 0);
  expect_kept("recalloc_aligned_at", xi_heap_recalloc_aligned_at(heap, elsewhere(), 6, 10, 256, 24), 256, 24);
  void* const inside = xi_heap_malloc(heap, 64);
  EXPECT_EQ(xi_heap_realloc(heap, inside, 60), inside) << "it is this heap's, and fits";
  errno = 0;
  expect_refused(ENOMEM, xi_heap_reallocn(heap, inside, opaque(SIZE_MAX), 2));
  EXPECT_EQ(xi_heap_reallocf(heap, inside, opaque(SIZE_MAX)), nullptr);
  EXPECT_EQ(statistics.live_blocks.get(), 0) << "and reallocf has freed it";
  xi_heap_destroy(heap);
}

TEST_F(HeapApiTest, DestroyFreesWhatTheHeapHasAndNothingElse) {
  xi_heap_t* const heap = xi_heap_new();
  std::vector<char*> others;
  for (size_t size = 1; size < 2'000'000; size = size * 3 / 2 + 1) {
    for (int i = 0; i < 20; ++i) EXPECT_NE(xi_heap_malloc_aligned_at(heap, size, 64, i % 2 == 0 ? 0 : 8), nullptr);
    others.push_back(static_cast<char*>(memset(xi_malloc(size), 0x42, size)));
  }
  EXPECT_NE(xi_heap_malloc_aligned(heap, 10, size_t{1} << 30), nullptr) << "a mapping of its own";
  EXPECT_EQ(structure_faults(), "");
  xi_heap_destroy(heap);
  EXPECT_EQ(structure_faults(), "");
  EXPECT_EQ(statistics.live_blocks.get(), static_cast<int64_t>(others.size()));
  for (char* block : others) {
    EXPECT_EQ(*block, 0x42);
    xi_free(block);
  }
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(HeapApiTest, DeleteLeavesTheBlocksToTheFirstHeap) {
  xi_heap_t* const heap = xi_heap_new();
  std::vector<char*> blocks;
  for (size_t size = 1; size < 2'000'000; size = size * 3 / 2 + 1) {
    for (int i = 0; i < 20; ++i) {
      blocks.push_back(static_cast<char*>(memset(xi_heap_malloc(heap, size), 0x42, size)));
    }
  }
  xi_heap_delete(heap);
  EXPECT_EQ(structure_faults(), "");
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(*blocks[i], 0x42);
    EXPECT_TRUE(xi_heap_check_owned(xi_heap_get_backing(), blocks[i]));
    if (i % 2 == 0) xi_free(blocks[i]);
  }
  std::thread([&] {
    for (size_t i = 1; i < blocks.size(); i += 2) xi_free(blocks[i]);
  }).join();
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
  EXPECT_EQ(statistics.heaps.get(), 1);
}

TEST_F(HeapApiTest, TheDefaultHeapServesThePlainFunctions) {
  xi_heap_t* const first = xi_heap_get_default();
  EXPECT_EQ(first, xi_heap_get_backing());
  xi_heap_t* const heap = xi_heap_new();
  EXPECT_EQ(xi_heap_set_default(heap), first);
  EXPECT_EQ(xi_heap_get_default(), heap);
  EXPECT_EQ(xi_heap_get_backing(), first);
  void* const block = xi_malloc(100);
  EXPECT_TRUE(xi_heap_contains_block(heap, block));
  EXPECT_TRUE(xi_check_owned(block));
  void* const in_first = xi_heap_malloc(first, 100);
  EXPECT_TRUE(xi_heap_contains_block(first, in_first));
  EXPECT_TRUE(xi_heap_check_owned(heap, xi_malloc(3000))) << "the default again";
  xi_heap_destroy(heap);
  EXPECT_EQ(xi_heap_get_default(), first);
  EXPECT_TRUE(xi_heap_check_owned(first, xi_malloc(100)));
}

TEST_F(HeapApiTest, OfAnotherThreadItIsRefused) {
  xi_heap_t* const heap = xi_heap_new();
  void* const block = xi_heap_malloc(heap, 100);
  std::thread([&] {
    errno = 0;
    expect_refused(EPERM, xi_heap_malloc(heap, 8));
    expect_refused(EPERM, xi_heap_calloc(heap, 8, 8));
    expect_refused(EPERM, xi_heap_realloc(heap, block, 8));
    expect_refused(EPERM, xi_heap_strdup(heap, "text"));
    expect_refused(EPERM, xi_heap_set_default(heap));
    EXPECT_FALSE(xi_heap_visit_blocks(heap, true, nullptr, nullptr));
    EXPECT_EQ(errno, EPERM);
    errno = 0;
    xi_heap_collect(heap, true);
    EXPECT_EQ(errno, EPERM);
    errno = 0;
    xi_heap_delete(heap);
    EXPECT_EQ(errno, EPERM);
    errno = 0;
    xi_heap_destroy(heap);
    EXPECT_EQ(errno, EPERM);
    EXPECT_THROW(static_cast<void>(xi_heap_alloc_new(heap, 8)), std::bad_alloc);
    EXPECT_TRUE(xi_heap_contains_block(heap, block)) << "anyone may ask";
    EXPECT_FALSE(xi_heap_contains_block(heap, static_cast<char*>(block) + 1));
  }).join();
  errno = 0;
  xi_heap_destroy(xi_heap_get_backing());
  EXPECT_EQ(errno, EPERM) << "the first heap stays";
  expect_refused(EPERM, nullptr);
  expect_refused(EINVAL, xi_heap_malloc(nullptr, 8));
  expect_refused(EINVAL, xi_heap_set_default(nullptr));
  xi_heap_delete(nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(xi_heap_contains_block(nullptr, block));
  EXPECT_FALSE(xi_heap_contains_block(heap, nullptr));
  EXPECT_FALSE(xi_heap_check_owned(heap, &errno));
  xi_heap_destroy(heap);
}

TEST_F(HeapApiTest, WhenItsThreadHasEndedOnlyItsEndIsLegal) {
  for (const bool destroy : {false, true}) {
    xi_debug_reset();
    xi_heap_t* heap = nullptr;
    std::vector<char*> blocks;
    std::thread([&] {
      heap = xi_heap_new();
      xi_heap_set_default(heap);
      for (size_t i = 0; i < 300; ++i)
        blocks.push_back(static_cast<char*>(memset(xi_malloc(i * 30 + 1), 7, i * 30 + 1)));
    }).join();
    EXPECT_EQ(structure_faults(), "");
    for (char* block : blocks) EXPECT_EQ(*block, 7);
    xi_free(blocks.back());
    blocks.pop_back();
    void* const mine = xi_malloc(100);
    EXPECT_FALSE(xi_heap_check_owned(heap, mine)) << "its pages are not taken over";
    errno = 0;
    expect_refused(EPERM, xi_heap_malloc(heap, 100));
    destroy ? xi_heap_destroy(heap) : xi_heap_delete(heap);
    EXPECT_EQ(errno, 0);
    EXPECT_EQ(structure_faults(), "");
    EXPECT_EQ(statistics.live_blocks.get(), destroy ? 1 : 300);
    if (!destroy) {
      for (char* block : blocks) {
        EXPECT_EQ(*block, 7);
        xi_free(block);
      }
    }
    xi_free(mine);
    xi_collect(true);
    EXPECT_EQ(footprint().committed, 0u);
  }
}

// Nobody else may take a page of the heap; itself it finds the ones that others have made room in.
TEST_F(HeapApiTest, FullPagesComeBackToTheirHeap) {
  xi_heap_t* const heap = xi_heap_new();
  std::vector<void*> blocks;
  for (int i = 0; i < 640; ++i) blocks.push_back(xi_heap_malloc(heap, 1000));
  const int64_t pages = statistics.pages.get();
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (i % 4 != 0) xi_free(blocks[i]);
    }
    EXPECT_EQ(structure_faults(), "");
    void* const own = xi_malloc(1000);
    EXPECT_FALSE(xi_heap_check_owned(heap, own));
    xi_free(own);
    xi_collect(true);
  }).join();
  EXPECT_EQ(statistics.abandoned_pages.total(), 0);
  for (int i = 0; i < 400; ++i) EXPECT_NE(xi_heap_malloc(heap, 1000), nullptr);
  EXPECT_LE(statistics.pages.get(), pages) << "the free blocks were used";
  EXPECT_EQ(structure_faults(), "");
  xi_heap_destroy(heap);
}

TEST_F(HeapApiTest, AFunctionOfTheProgramAllocatesFromTheDefaultHeap) {
  xi_heap_t* const heap = xi_heap_new();
  static void* block;
  xi_register_error([](int, void*) { block = xi_malloc(10); }, nullptr);
  EXPECT_EQ(xi_heap_malloc(heap, opaque(SIZE_MAX)), nullptr);
  EXPECT_FALSE(xi_heap_check_owned(heap, block));
  xi_register_deferred_free([](bool, unsigned long long, void*) { block = xi_malloc(10); }, nullptr);
  void* const slow = xi_heap_malloc(heap, 3000);
  EXPECT_FALSE(xi_heap_check_owned(heap, block));
  EXPECT_TRUE(xi_heap_check_owned(heap, slow));
  xi_register_deferred_free(nullptr, nullptr);
  xi_heap_destroy(heap);
}

struct Seen {
  std::set<void*> blocks;
  size_t used = 0, pages = 0, stop_at = SIZE_MAX;
};

bool note(const xi_heap_t*, const xi_heap_area_t* area, void* block, size_t block_size, void* argument) {
  auto* const seen = static_cast<Seen*>(argument);
  if (block == nullptr) {
    ++seen->pages;
    seen->used += area->used;
    EXPECT_EQ(block_size, 0u);
    return true;
  }
  EXPECT_EQ(block_size, area->block_size);
  EXPECT_TRUE(block >= area->blocks && static_cast<char*>(block) < static_cast<char*>(area->blocks) + area->reserved);
  EXPECT_TRUE(seen->blocks.insert(block).second) << "twice";
  return seen->blocks.size() < seen->stop_at;
}

TEST_F(HeapApiTest, AVisitSeesEachLiveBlockAndNoOther) {
  xi_heap_t* const heap = xi_heap_new();
  std::set<void*> live;
  for (size_t size : {8u, 100u, 1000u, 9000u, 100'000u, 3'000'000u}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(xi_heap_malloc(heap, size));
    std::thread([&] {
      for (size_t i = 0; i < blocks.size(); i += 3) xi_free(blocks[i]);
    }).join();
    for (size_t i = 1; i < blocks.size(); i += 3) xi_free(blocks[i]);
    for (size_t i = 2; i < blocks.size(); i += 3) live.insert(blocks[i]);
  }
  Seen seen;
  EXPECT_TRUE(xi_heap_visit_blocks(heap, true, note, &seen));
  EXPECT_EQ(seen.blocks, live);
  EXPECT_EQ(seen.used, live.size());
  EXPECT_EQ(structure_faults(), "");
  Seen areas;
  EXPECT_TRUE(xi_heap_visit_blocks(heap, false, note, &areas));
  EXPECT_TRUE(areas.blocks.empty());
  EXPECT_EQ(areas.used, live.size());
  Seen some;
  some.stop_at = 5;
  EXPECT_FALSE(xi_heap_visit_blocks(heap, true, note, &some));
  EXPECT_EQ(some.blocks.size(), 5u);
  EXPECT_EQ(structure_faults(), "");
  xi_heap_destroy(heap);
}

TEST_F(HeapApiTest, CollectGivesBackWhatIsFree) {
  xi_heap_t* const heap = xi_heap_new();
  void* const keep = xi_heap_malloc(heap, 100);
  xi_free(xi_heap_malloc(heap, 3000));
  xi_free(xi_heap_malloc(heap, kMiB));
  xi_heap_collect(heap, true);
  EXPECT_EQ(footprint().committed, kSliceSize);
  xi_free(keep);
  xi_heap_delete(heap);
}

TEST_F(HeapApiTest, ManyHeapsComeAndGo) {
  xi_free(xi_malloc(8));
  for (int round = 0; round < 20; ++round) {
    std::vector<xi_heap_t*> heaps;
    for (int i = 0; i < 64; ++i) heaps.push_back(xi_heap_new());
    for (size_t i = 0; i < heaps.size(); ++i) EXPECT_NE(xi_heap_malloc(heaps[i], 16 << (i % 8)), nullptr);
    for (size_t i = 0; i < heaps.size(); ++i) xi_heap_destroy(heaps[i * 29 % heaps.size()]);
  }
  EXPECT_EQ(statistics.heaps.get(), 1);
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(HeapApiTest, NoMemoryForAHeapIsAnAnswer) {
  std::thread([] {
    FailCalls fail{kMaps, 1, true};
    fail.install();
    errno = 0;
    expect_refused(ENOMEM, xi_heap_new());
    expect_refused(ENOMEM, xi_heap_get_default());
    expect_refused(ENOMEM, xi_heap_get_backing());
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_NE(xi_heap_get_default(), nullptr);
  }).join();
}

}  // namespace
}  // namespace xi
