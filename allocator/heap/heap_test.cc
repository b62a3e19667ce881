#include "allocator/heap/heap.h"

#include <cstring>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/heap/alloc.h"
#include "allocator/page_map/page_map.h"

namespace xi {
namespace {

using HeapTest = FreshAllocator;

TEST_F(HeapTest, TheDirectTableNamesTheFirstPageOfEachBin) {
  std::vector<void*> blocks;
  for (size_t size = 0; size <= kDirectMax + 1; ++size) {
    blocks.push_back(xi_malloc(size));
    if (size <= kDirectMax) {
      EXPECT_EQ(direct_page(size), page_map::find(blocks.back())) << size;
    }
  }
  for (void* block : blocks) xi_free(block);
}

TEST_F(HeapTest, TheEmptyHeapIsNeverWritten) {
  xi_free(xi_malloc(8));
  for (Page* page : empty_heap.direct) EXPECT_EQ(page, &empty_page);
  EXPECT_EQ(empty_page.used, 0u);
}

TEST_F(HeapTest, AnEmptyPageIsKeptForAWhileAndThenEnds) {
  void* const block = xi_malloc(40'000);
  Page* const page = page_map::find(block);
  xi_free(block);
  EXPECT_EQ(page_map::find(block), page);
  EXPECT_EQ(xi_malloc(40'000), block) << "and used again";
  xi_free(block);
  std::vector<void*> others;
  // Huge blocks take the slow path each time.
  for (int i = 0; i < 40; ++i) others.push_back(xi_malloc(kMiB));
  EXPECT_EQ(page_map::find(block), nullptr);
  for (void* other : others) xi_free(other);
}

TEST_F(HeapTest, APageThatIsUsedAgainOutlivesItsRetirement) {
  std::vector<void*> others;
  for (size_t size = 8; size < 1000; size = size * 5 / 4 + 8) others.push_back(xi_malloc(size));
  ASSERT_GT(others.size(), Heap::kMaxRetired);
  void* block = xi_malloc(40'000);
  Page* const page = page_map::find(block);
  xi_free(block);
  block = xi_malloc(40'000);
  ASSERT_EQ(page_map::find(block), page);
  ASSERT_NE(page->retire_ticks, 0);
  memset(block, 3, 40'000);
  // More pages retire than the heap keeps: this one, the oldest, is dropped from them.
  for (void* other : others) xi_free(other);
  EXPECT_EQ(page->retire_ticks, 0);
  EXPECT_EQ(page_map::find(block), page);
  EXPECT_EQ(structure_faults(), "");
  EXPECT_EQ(static_cast<char*>(block)[39'999], 3);
  xi_free(block);
}

TEST_F(HeapTest, OnlySoManyPagesAreKept) {
  std::vector<void*> blocks;
  for (size_t size = 8; size < 10'000; size = size * 9 / 8 + 8) blocks.push_back(xi_malloc(size));
  for (void* block : blocks) xi_free(block);
  size_t kept = 0;
  for (void* block : blocks) kept += page_map::find(block) != nullptr ? 1 : 0;
  EXPECT_EQ(kept, Heap::kMaxRetired);
}

TEST_F(HeapTest, APageOfEachBinHandsOutExactlyWhatFits) {
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    const size_t size = Bin(bin).block_size();
    std::vector<void*> blocks = {xi_malloc(size)};
    const Page* const page = page_map::find(blocks[0]);
    for (size_t i = 1; i < page->reserved; ++i) blocks.push_back(xi_malloc(size));
    EXPECT_EQ(page_map::find(blocks.back()), page) << size;
    EXPECT_EQ(page->available(), 0u);
    blocks.push_back(xi_malloc(size));
    EXPECT_NE(page_map::find(blocks.back()), page) << size;
    EXPECT_EQ(structure_faults(), "") << size;
    for (void* block : blocks) xi_free(block);
  }
}

TEST_F(HeapTest, FreshMemoryIsTouchedOnlyAsFarAsItIsUsed) {
  auto* const block = static_cast<char*>(xi_malloc(16));
  // The page's second half was never linked, and is still zero.
  for (size_t i = kSliceSize / 2; i < kSliceSize; ++i) ASSERT_EQ(block[i], 0);
  xi_free(block);
}

}  // namespace
}  // namespace xi
