#include "allocator/heap/fill.h"

#include <cstring>
#include <thread>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/config.h"

namespace xi {
namespace {

class FillTest : public FreshAllocator {
 protected:
  void SetUp() override {
    FreshAllocator::SetUp();
    xi_option_enable(xi_option_fill);
  }
  static bool holds(const void* block, size_t from, size_t to, unsigned char byte) {
    for (size_t i = from; i < to; ++i) {
      if (static_cast<const unsigned char*>(block)[i] != byte) return false;
    }
    return true;
  }
  static bool is_fresh(const void* block) { return holds(block, 0, xi_usable_size(block), kFreshByte); }
};

TEST_F(FillTest, FreshBlocksHoldD0ToTheirEnd) {
  EXPECT_EQ(kFreshByte, 0xd0);
  for (size_t size : {0u, 1u, 8u, 100u, 1024u, 5000u, 70'000u, 600'000u}) {
    for (int round = 0; round < 2; ++round) {
      void* const blocks[] = {xi_malloc(size),
                              xi_mallocn(size, 1),
                              xi_aligned_alloc(64, size),
                              xi_umalloc(size, nullptr),
                              xi_malloc_aligned_at(size, 64, 8),
                              xi_realloc(nullptr, size)};
      for (void* block : blocks) EXPECT_TRUE(is_fresh(block)) << size;
      for (void* block : blocks) xi_free(block);
    }
  }
  void* const small = xi_malloc_small(100);
  EXPECT_TRUE(is_fresh(small));
  xi_free(small);
}

TEST_F(FillTest, FreedBlocksHoldDFBehindTheirLink) {
  EXPECT_EQ(kFreedByte, 0xdf);
  for (size_t size : {16u, 100u, 1024u, 5000u, 70'000u}) {
    void* const keep = xi_malloc(size);  // so that the page stays
    void* const block = xi_malloc(size);
    const size_t usable = xi_usable_size(block);
    memset(block, 1, usable);
    xi_free(block);
    EXPECT_TRUE(holds(block, sizeof(Block), usable, kFreedByte)) << size;
    void* const remote = xi_malloc(size);
    memset(remote, 1, usable);
    std::thread([&] { xi_free(remote); }).join();
    EXPECT_TRUE(holds(remote, sizeof(Block), usable, kFreedByte)) << size;
    xi_free(keep);
  }
  auto* const at = static_cast<char*>(xi_malloc_aligned_at(100, 128, 100));
  memset(at, 1, 100);
  const size_t usable = xi_usable_size(at);
  void* const keep = xi_malloc(usable);
  xi_free(at);
  EXPECT_TRUE(holds(at, 0, usable, kFreedByte)) << "its link lies before it";
  xi_free(keep);
}

TEST_F(FillTest, WhatIsZeroOrKeptStaysSo) {
  auto* block = static_cast<unsigned char*>(xi_zalloc(100));
  EXPECT_TRUE(holds(block, 0, xi_usable_size(block), 0));
  memset(block, 7, 100);
  block = static_cast<unsigned char*>(xi_realloc(block, 5000));
  EXPECT_TRUE(holds(block, 0, 100, 7));
  EXPECT_TRUE(holds(block, 112, xi_usable_size(block), kFreshByte)) << "behind what the old block had";
  block = static_cast<unsigned char*>(xi_rezalloc(block, 20'000));
  EXPECT_TRUE(holds(block, 0, 100, 7));
  EXPECT_TRUE(holds(block, 5200, xi_usable_size(block), 0));
  xi_free(block);
}

TEST_F(FillTest, WithoutTheOptionNothingIsFilled) {
  xi_option_disable(xi_option_fill);
  void* const keep = xi_malloc(64);
  void* const block = xi_malloc(64);
  EXPECT_FALSE(is_fresh(block));
  memset(block, 1, 64);
  xi_free(block);
  EXPECT_TRUE(holds(block, sizeof(Block), 64, 1));
  xi_free(keep);
}

}  // namespace
}  // namespace xi
