// Alignment, at an offset too: blocks that are handed out at an address inside of them.
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"

namespace xi {
namespace {

using AlignedAtTest = FreshAllocator;

size_t opaque(size_t value) {
  volatile size_t copy = value;
  return copy;
}

bool all_zero(const char* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

TEST_F(AlignedAtTest, EveryAlignmentAndOffset) {
  const size_t sizes[] = {0, 1, 7, 100, 5000, 70'000, 700'000};
  for (size_t alignment = 1; alignment <= size_t{1} << 30; alignment *= 8) {
    for (size_t offset : {size_t{0}, size_t{1}, size_t{8}, size_t{63}, alignment / 2, alignment - 1, alignment,
                          alignment + 24, 0 - size_t{1}, 0 - size_t{8}}) {
      for (size_t size : sizes) {
        auto* const block = static_cast<char*>(xi_malloc_aligned_at(opaque(size), alignment, offset));
        ASSERT_NE(block, nullptr) << size << " " << alignment << " " << offset;
        EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment));
        const size_t usable = xi_usable_size(block);
        ASSERT_GE(usable, size == 0 ? 1 : size);
        memset(block, 0xee, usable);
        EXPECT_EQ(xi_usable_size(block), usable);
        auto* const zeroed = static_cast<char*>(xi_zalloc_aligned_at(opaque(size), alignment, offset));
        ASSERT_TRUE(zeroed >= block + usable || zeroed + xi_usable_size(zeroed) <= block);
        EXPECT_TRUE(is_aligned(address_of(zeroed) + offset, alignment));
        EXPECT_TRUE(all_zero(zeroed, xi_usable_size(zeroed)));
        xi_free(block);
        auto* const reused = static_cast<char*>(xi_calloc_aligned_at(1, opaque(size), alignment, offset));
        EXPECT_TRUE(all_zero(reused, xi_usable_size(reused)));
        xi_free(zeroed);
        xi_free(reused);
      }
      EXPECT_EQ(structure_faults(), "");
    }
  }
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(AlignedAtTest, ReallocKeepsContentsAndAlignment) {
  for (size_t alignment : {size_t{64}, size_t{4096}, size_t{1} << 17}) {
    for (size_t offset : {size_t{0}, size_t{5}, alignment - 16}) {
      auto* block = static_cast<unsigned char*>(xi_malloc_aligned_at(100, alignment, offset));
      for (size_t i = 0; i < 100; ++i) block[i] = static_cast<unsigned char>(i);
      for (size_t size : {90u, 3000u, 80'000u, 2'000'000u, 200u}) {
        block = static_cast<unsigned char*>(xi_realloc_aligned_at(block, size, alignment, offset));
        ASSERT_NE(block, nullptr);
        EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment));
        EXPECT_GE(xi_usable_size(block), size);
        for (size_t i = 0; i < 90; ++i) ASSERT_EQ(block[i], i) << size;
        memset(block + 100, 0xee, xi_usable_size(block) - 100 < size ? xi_usable_size(block) - 100 : 0);
      }
      void* const plain = xi_realloc(block, 150);
      ASSERT_NE(plain, nullptr);
      EXPECT_EQ(static_cast<unsigned char*>(plain)[89], 89);
      xi_free(plain);
    }
  }
}

TEST_F(AlignedAtTest, ABlockThatFitsButIsNotAlignedMoves) {
  void* first = xi_malloc(64);
  void* block = xi_malloc(64);
  while (is_aligned(address_of(block), 128)) block = xi_malloc(64);
  void* const moved = xi_realloc_aligned(block, 64, 128);
  EXPECT_NE(moved, block);
  EXPECT_TRUE(is_aligned(address_of(moved), 128));
  EXPECT_EQ(xi_realloc_aligned(moved, 100, 128), moved) << "in place";
  xi_free(first);
  xi_free(moved);
}

TEST_F(AlignedAtTest, OtherThreadsFreeThemToo) {
  std::vector<void*> blocks;
  for (size_t i = 0; i < 3000; ++i) {
    blocks.push_back(i % 2 == 0 ? xi_malloc_aligned_at(40, 64, 24) : xi_malloc(128));
    memset(blocks.back(), static_cast<int>(i), 40);
  }
  for (size_t i = 0; i < 300; ++i) blocks.push_back(xi_malloc_aligned_at(kMiB / 16 + i, 256, 1));
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); i += 3) xi_free(blocks[i]);
  }).join();
  EXPECT_EQ(structure_faults(), "");
  for (size_t i = 1; i < blocks.size(); i += 3) {
    if (i < 3000) EXPECT_EQ(static_cast<unsigned char*>(blocks[i])[39], i % 256);
    xi_free(blocks[i]);
  }
  std::thread([&] {
    for (size_t i = 2; i < blocks.size(); i += 3) xi_free(blocks[i]);
  }).join();
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(AlignedAtTest, TheyOutliveTheirThread) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (size_t i = 0; i < 500; ++i) blocks.push_back(xi_malloc_aligned_at(100, 128, 3));
  }).join();
  EXPECT_EQ(structure_faults(), "");
  void* const mine = xi_malloc(150);
  Page* const page = page_map::find(blocks[499]);
  EXPECT_TRUE(page->has_interior_blocks()) << "whoever the owner is";
  for (void* block : blocks) xi_free(block);
  xi_free(mine);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

// The fast path is for pages without such blocks; the others are told apart by their owner, and go back to it when they
// end.
TEST_F(AlignedAtTest, OnlyPagesThatHoldOneLeaveTheFastPath) {
  void* const plain = xi_malloc(1000);
  void* const at = xi_malloc_aligned_at(100, 256, 7);
  EXPECT_EQ(page_map::find(plain)->owner.load(kRelaxed), thread_state.id);
  EXPECT_NE(page_map::find(at)->owner.load(kRelaxed), thread_state.id);
  EXPECT_EQ(page_map::find(at)->owner_id(), thread_state.id);
  xi_free(at);
  EXPECT_EQ(page_map::find(at)->used, 0u) << "the slow path frees it at once, as the fast one would";
  xi_collect(true);
  void* const again = xi_malloc(256);
  EXPECT_EQ(page_map::find(again)->owner.load(kRelaxed), thread_state.id);
  xi_free(again);
  xi_free(plain);
}

TEST_F(AlignedAtTest, AnAddressThatWasNotHandedOutEndsTheProcess) {
  for (size_t offset : {8u, 60u}) {
    auto* const block = static_cast<char*>(xi_malloc_aligned_at(200, 64, offset));
    memset(block, 0, 200);
    EXPECT_DEATH(xi_free(block + 1), "free.*no block begins there");
    EXPECT_DEATH(xi_free(block - 1), "free.*no block begins there");
    EXPECT_DEATH(static_cast<void>(xi_usable_size(block + 64)), "usable_size.*no block begins there");
    xi_free(block);
    EXPECT_DEATH(xi_free(block), "free.*no block begins there") << "its mark has become a link";
  }
}

TEST_F(AlignedAtTest, WhatCannotBe) {
  for (size_t alignment : {size_t{0}, size_t{3}, size_t{24}, SIZE_MAX}) {
    errno = 0;
    EXPECT_EQ(xi_malloc_aligned_at(8, opaque(alignment), 1), nullptr);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    void* const block = xi_malloc(8);
    EXPECT_EQ(xi_realloc_aligned_at(block, 8, opaque(alignment), 1), nullptr);
    EXPECT_EQ(errno, EINVAL);
    xi_free(block);
  }
  for (size_t alignment : {size_t{16}, size_t{1} << 20, size_t{1} << 62, size_t{1} << 63}) {
    for (size_t offset : {size_t{1}, alignment - 1}) {
      errno = 0;
      EXPECT_EQ(xi_malloc_aligned_at(opaque(PTRDIFF_MAX), alignment, offset), nullptr);
      EXPECT_EQ(errno, ENOMEM);
      errno = 0;
      EXPECT_EQ(xi_zalloc_aligned_at(opaque(size_t{1} << 47), alignment, offset), nullptr);
      EXPECT_EQ(errno, ENOMEM);
    }
  }
}

}  // namespace
}  // namespace xi
