// What the public header promises.
#include <cerrno>
#include <cstring>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"

namespace xi {
namespace {

using ApiTest = FreshAllocator;

// Sizes and alignments pass through here, so that the compiler does not judge calls that are wrong on purpose.
size_t opaque(size_t value) {
  volatile size_t copy = value;
  return copy;
}

TEST_F(ApiTest, PlainBlocksAreAlignedAndUsableToTheirLastByte) {
  std::vector<void*> blocks;
  for (size_t size = 0; size < 3'000'000; size = size < 300 ? size + 1 : size * 17 / 16) {
    auto* const block = static_cast<char*>(xi_malloc(size));
    ASSERT_NE(block, nullptr);
    const size_t natural = size == 0 ? 1 : size_t{1} << highest_bit(size);
    EXPECT_TRUE(is_aligned(address_of(block), natural < 16 ? natural : 16)) << size;
    const size_t usable = xi_usable_size(block);
    EXPECT_GE(usable, size);
    memset(block, 0xee, usable);
    EXPECT_EQ(xi_usable_size(block), usable);
    blocks.push_back(block);
  }
  for (void* block : blocks) xi_free(block);
}

TEST_F(ApiTest, AZeroSizeIsAUniqueBlock) {
  void* const a = xi_malloc(0);
  void* const b = xi_malloc(0);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(a, b);
  xi_free(a);
  xi_free(b);
}

TEST_F(ApiTest, ALargeBlockThatNoArenaCanBeMadeForHasAMappingOfItsOwn) {
  FailCalls fail{kReserves, 1, true};
  fail.install();
  EXPECT_EQ(xi_malloc(24), nullptr);
  auto* const block = static_cast<char*>(xi_malloc(3'000'000));
  ASSERT_NE(block, nullptr);
  memset(block, 0xee, xi_usable_size(block));
  auto* const aligned = static_cast<char*>(xi_zalloc_aligned(2'000'000, 1 << 20));
  ASSERT_NE(aligned, nullptr);
  EXPECT_TRUE(is_aligned(address_of(aligned), 1 << 20));
  EXPECT_EQ(aligned[1'999'999], 0);
  xi_free(block);
  xi_free(aligned);
  uint64_t mapped = 1, committed = 1;
  xi_debug_footprint(&mapped, &committed);
  EXPECT_EQ(mapped, 0u);
}

TEST_F(ApiTest, WhatCannotBeIsNullWithENOMEM) {
  void* const block = xi_malloc(100);
  for (size_t size : {SIZE_MAX, SIZE_MAX - 15, size_t{PTRDIFF_MAX} + 1, size_t{PTRDIFF_MAX}, size_t{1} << 48}) {
    const auto expect_enomem = [&](void* result) {
      EXPECT_EQ(result, nullptr) << size;
      EXPECT_EQ(errno, ENOMEM) << size;
      errno = 0;
    };
    errno = 0;
    expect_enomem(xi_malloc(opaque(size)));
    expect_enomem(xi_calloc(opaque(1), opaque(size)));
    expect_enomem(xi_realloc(block, opaque(size)));
    expect_enomem(xi_aligned_alloc(64, opaque(size)));
    expect_enomem(xi_aligned_alloc(1 << 20, opaque(size)));
    void* out = block;
    EXPECT_EQ(xi_posix_memalign(&out, 64, opaque(size)), ENOMEM);
    EXPECT_EQ(out, block);
    EXPECT_EQ(errno, 0);
  }
  errno = 0;
  EXPECT_EQ(xi_calloc(opaque(size_t{1} << 33), opaque(size_t{1} << 33)), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  xi_free(block);
}

TEST_F(ApiTest, CallocZeroesWhatWasUsedBefore) {
  for (size_t size : {8u, 100u, 1024u, 5000u, 70'000u, 600'000u, 5'000'000u}) {
    for (int round = 0; round < 3; ++round) {
      auto* const block = static_cast<char*>(xi_calloc(1, size));
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(block[i], 0) << size << " at " << i;
      memset(block, 0x77, xi_usable_size(block));
      xi_free(block);
    }
  }
}

TEST_F(ApiTest, EveryAlignmentUpToHalfATebibyte) {
  for (size_t alignment = 1; alignment <= size_t{1} << 38; alignment *= 2) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}, size_t{70'000}, size_t{700'000}}) {
      void* const block = xi_aligned_alloc(opaque(alignment), opaque(size));
      ASSERT_NE(block, nullptr) << alignment << " " << size;
      EXPECT_TRUE(is_aligned(address_of(block), alignment));
      memset(block, 1, xi_usable_size(block));
      EXPECT_EQ(structure_faults(), "");
      xi_free(block);
    }
  }
}

TEST_F(ApiTest, AnAlignmentMustBeAPowerOfTwo) {
  for (size_t alignment : {0u, 3u, 24u, 100u}) {
    errno = 0;
    EXPECT_EQ(xi_aligned_alloc(opaque(alignment), 8), nullptr);
    EXPECT_EQ(errno, EINVAL);
    void* out = &errno;
    errno = 0;
    EXPECT_EQ(xi_posix_memalign(&out, opaque(alignment), 8), EINVAL);
    EXPECT_EQ(out, &errno);
    EXPECT_EQ(errno, 0);
  }
  void* out = nullptr;
  EXPECT_EQ(xi_posix_memalign(&out, opaque(4), 8), EINVAL) << "no multiple of a pointer's size";
}

TEST_F(ApiTest, ReallocKeepsTheContents) {
  for (size_t from : {1u, 16u, 100u, 1000u, 9000u, 80'000u, 700'000u, 3'000'000u}) {
    for (size_t to : {1u, 24u, 200u, 1500u, 20'000u, 100'000u, 1'000'000u, 2'000'000u}) {
      auto* block = static_cast<unsigned char*>(xi_malloc(from));
      for (size_t i = 0; i < from; ++i) block[i] = static_cast<unsigned char>(i * 31);
      block = static_cast<unsigned char*>(xi_realloc(block, to));
      ASSERT_NE(block, nullptr);
      for (size_t i = 0; i < from && i < to; ++i)
        ASSERT_EQ(block[i], static_cast<unsigned char>(i * 31)) << from << " " << to;
      memset(block, 1, xi_usable_size(block));
      EXPECT_LE(xi_usable_size(block), to < 16 ? 32 : to * 2 + kSliceSize) << "shrunk blocks give their memory back";
      xi_free(block);
    }
  }
}

TEST_F(ApiTest, ReallocToZeroIsAMinimalLiveBlock) {
  void* const block = xi_realloc(xi_malloc(1000), 0);
  ASSERT_NE(block, nullptr);
  EXPECT_LE(xi_usable_size(block), 16u);
  xi_free(block);
  EXPECT_NE(xi_realloc(nullptr, 0), nullptr);
}

TEST_F(ApiTest, AFailedReallocLeavesTheBlock) {
  auto* const block = static_cast<char*>(xi_malloc(100));
  memset(block, 5, 100);
  FailCalls fail{kCommits, 1, true};
  fail.install();
  EXPECT_EQ(xi_realloc(block, 100'000), nullptr);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  EXPECT_EQ(block[99], 5);
  xi_free(block);
}

TEST_F(ApiTest, FreeKeepsErrno) {
  void* const own_mapping = xi_aligned_alloc(size_t{1} << 30, 10);
  void* const huge = xi_malloc(kMiB);
  errno = 4711;
  xi_free(own_mapping);
  xi_free(huge);
  xi_free(nullptr);
  EXPECT_EQ(errno, 4711);
}

TEST_F(ApiTest, ForeignPointersAreNamedOnceAndIgnored) {
  int local = 0;
  void* const freed = xi_malloc(kMiB);
  xi_free(freed);
  testing::internal::CaptureStderr();
  for (void* pointer : {static_cast<void*>(&local), static_cast<void*>(&errno), reinterpret_cast<void*>(8), freed,
                        reinterpret_cast<void*>(UINTPTR_MAX), reinterpret_cast<void*>(uintptr_t{1} << 47)}) {
    xi_free(pointer);
    EXPECT_EQ(xi_usable_size(pointer), 0u);
    errno = 0;
    EXPECT_EQ(xi_realloc(pointer, 10), nullptr);
    EXPECT_EQ(errno, EINVAL);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("not a live block of this allocator"), std::string::npos);
  EXPECT_EQ(said.find('\n'), said.size() - 1) << "one line only: " << said;
}

TEST_F(ApiTest, InteriorPointersEndTheProcess) {
  auto* const block = static_cast<char*>(xi_malloc(100));
  auto* const huge = static_cast<char*>(xi_malloc(kMiB));
  EXPECT_DEATH(xi_free(block + 1), "free.*no block begins there");
  EXPECT_DEATH(xi_free(huge + kSliceSize), "free.*no block begins there");
  EXPECT_DEATH(static_cast<void>(xi_usable_size(block + 8)), "usable_size.*no block begins there");
  xi_free(block);
  xi_free(huge);
}

TEST_F(ApiTest, TrimSaysWhetherItGaveAnythingBack) {
  xi_free(xi_malloc(10 * kMiB));
  EXPECT_EQ(xi_malloc_trim(0), 1);
  EXPECT_EQ(xi_malloc_trim(0), 0);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ApiTest, TheCapsOfTheSeamAreNullAndNothingIsLost) {
  std::vector<void*> blocks;
  while (void* const block = xi_malloc(256 * kMiB)) blocks.push_back(block);
  EXPECT_GE(blocks.size(), 15u);
  EXPECT_LE(blocks.size(), 16u);
  for (void* block : blocks) xi_free(block);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ApiTest, TheVersionIsThatOfTheHeader) {
  EXPECT_EQ(xi_version(), XI_VERSION);
}

// Committed memory has a cap of 4 GiB; 1 GiB of it is free, in holes that are too small for what is asked for next.
TEST_F(ApiTest, FreeMemoryThatWaitsForItsPurgeDoesNotMakeAnAllocationFail) {
  for (size_t size : {300 * kMiB, 900 * kMiB}) {
    xi_debug_reset();
    std::vector<void*> blocks;
    for (int i = 0; i < 8; ++i) blocks.push_back(xi_malloc(opaque(256 * kMiB)));
    void* const own_mapping = xi_malloc(opaque(1900 * kMiB));
    for (size_t i = 0; i < blocks.size(); i += 2) xi_free(blocks[i]);
    void* const block = xi_malloc(opaque(size));
    EXPECT_NE(block, nullptr) << size;
    for (size_t i = 1; i < blocks.size(); i += 2) xi_free(blocks[i]);
    xi_free(own_mapping);
    xi_free(block);
  }
}

}  // namespace
}  // namespace xi
