// The relatives of malloc: what each adds to it.
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"

namespace xi {
namespace {

using FamilyTest = FreshAllocator;

size_t opaque(size_t value) {
  volatile size_t copy = value;
  return copy;
}
const size_t kHalf = (SIZE_MAX >> 1) + 1;

template <class Call>
void expect_enomem(const char* what, Call call) {
  errno = 0;
  EXPECT_EQ(call(), nullptr) << what;
  EXPECT_EQ(errno, ENOMEM) << what;
}

// Frees blocks full of garbage, so that the next ones of the size are not zero by chance.
void dirty(size_t size) {
  void* blocks[4];
  for (void*& block : blocks) memset(block = xi_malloc(size), 0xa5, size);
  for (void* block : blocks) xi_free(block);
}

bool zero_between(const void* block, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    if (static_cast<const char*>(block)[i] != 0) return false;
  }
  return true;
}

TEST_F(FamilyTest, ProductsThatOverflowAreNullWithENOMEM) {
  void* const block = xi_malloc(10);
  memset(block, 7, 10);
  expect_enomem("mallocn", [] { return xi_mallocn(opaque(kHalf), 2); });
  expect_enomem("calloc", [] { return xi_calloc(opaque(kHalf), 2); });
  expect_enomem("ucalloc", [] { return xi_ucalloc(opaque(kHalf), 2, nullptr); });
  expect_enomem("calloc_aligned", [] { return xi_calloc_aligned(opaque(kHalf), 2, 64); });
  expect_enomem("calloc_aligned_at", [] { return xi_calloc_aligned_at(opaque(kHalf), 2, 64, 8); });
  expect_enomem("reallocn", [&] { return xi_reallocn(block, opaque(kHalf), 2); });
  expect_enomem("reallocarray", [&] { return xi_reallocarray(block, opaque(kHalf), 2); });
  expect_enomem("recalloc", [&] { return xi_recalloc(block, opaque(kHalf), 2); });
  expect_enomem("recalloc_aligned", [&] { return xi_recalloc_aligned(block, opaque(kHalf), 2, 64); });
  expect_enomem("recalloc_aligned_at", [&] { return xi_recalloc_aligned_at(block, opaque(kHalf), 2, 64, 8); });
  expect_enomem("aligned_recalloc", [&] { return xi_aligned_recalloc(block, opaque(kHalf), 2, 64); });
  expect_enomem("aligned_offset_recalloc", [&] { return xi_aligned_offset_recalloc(block, opaque(kHalf), 2, 64, 8); });
  EXPECT_EQ(static_cast<char*>(block)[9], 7);
  xi_free(block);
}

TEST_F(FamilyTest, SizesThatCannotBeAreNullWithENOMEM) {
  void* const block = xi_malloc(10);
  for (size_t size : {SIZE_MAX, size_t{PTRDIFF_MAX} + 1, size_t{1} << 48}) {
    expect_enomem("zalloc", [=] { return xi_zalloc(opaque(size)); });
    expect_enomem("rezalloc", [=] { return xi_rezalloc(block, opaque(size)); });
    expect_enomem("expand", [=] { return xi_expand(block, opaque(size)); });
    expect_enomem("memalign", [=] { return xi_memalign(64, opaque(size)); });
    expect_enomem("valloc", [=] { return xi_valloc(opaque(size)); });
    expect_enomem("pvalloc", [=] { return xi_pvalloc(opaque(size)); });
    expect_enomem("malloc_aligned", [=] { return xi_malloc_aligned(opaque(size), 64); });
    expect_enomem("zalloc_aligned", [=] { return xi_zalloc_aligned(opaque(size), 64); });
    expect_enomem("realloc_aligned", [=] { return xi_realloc_aligned(block, opaque(size), 64); });
    expect_enomem("rezalloc_aligned", [=] { return xi_rezalloc_aligned(block, opaque(size), 64); });
    expect_enomem("rezalloc_aligned_at", [=] { return xi_rezalloc_aligned_at(block, opaque(size), 64, 8); });
    size_t block_size = 1;
    expect_enomem("umalloc", [&] { return xi_umalloc(opaque(size), &block_size); });
    EXPECT_EQ(block_size, 0u);
    expect_enomem("umalloc_aligned", [&] { return xi_umalloc_aligned(opaque(size), 64, &block_size); });
    expect_enomem("uzalloc_aligned", [&] { return xi_uzalloc_aligned(opaque(size), 64, &block_size); });
  }
  xi_free(block);
}

TEST_F(FamilyTest, WhatZeroesIsZeroToTheEndOfTheBlock) {
  for (size_t size : {1u, 9u, 100u, 1000u, 5001u, 70'001u, 600'001u, 3'000'001u}) {
    for (int round = 0; round < 2; ++round) {
      void* const blocks[] = {xi_zalloc(size),
                              xi_calloc(1, size),
                              xi_ucalloc(size, 1, nullptr),
                              xi_zalloc_aligned(size, 64),
                              xi_calloc_aligned(size, 1, 32),
                              xi_uzalloc_aligned(size, 128, nullptr),
                              xi_rezalloc(nullptr, size),
                              xi_recalloc(nullptr, size, 1)};
      for (void* block : blocks) {
        EXPECT_TRUE(zero_between(block, 0, xi_usable_size(block))) << size;
        memset(block, 0xa5, xi_usable_size(block));
      }
      for (void* block : blocks) xi_free(block);
    }
  }
  for (size_t size : {0u, 1u, 64u, 1000u, 1024u}) {
    dirty(size);
    void* const block = xi_zalloc_small(size);
    EXPECT_TRUE(zero_between(block, 0, size));
    xi_free(block);
    dirty(size);
    size_t block_size = 0;
    void* const with_size = xi_uzalloc_small(size, &block_size);
    EXPECT_TRUE(zero_between(with_size, 0, block_size));
    xi_free(with_size);
  }
}

// mimalloc leaves here what the block held before it shrank.
TEST_F(FamilyTest, RezallocAfterAShrinkInPlaceIsZeroAgain) {
  for (size_t size : {24u, 100u, 1000u, 5000u, 60'000u, 400'000u, 2'000'000u}) {
    dirty(size);
    auto* const block = static_cast<char*>(xi_zalloc(size));
    memset(block, 0xa5, size);
    const size_t smaller = size / 2 + size / 4;
    ASSERT_EQ(xi_rezalloc(block, smaller), block) << "in place";
    ASSERT_EQ(xi_rezalloc(block, size), block);
    EXPECT_TRUE(zero_between(block, smaller, size)) << size;
    EXPECT_EQ(static_cast<unsigned char>(block[smaller - 1]), 0xa5);
    xi_free(block);
  }
}

TEST_F(FamilyTest, RezallocZeroesWhatIsNewWhereverItLies) {
  for (size_t from : {0u, 1u, 10u, 100u, 5000u, 100'000u}) {
    for (size_t to : {1u, 7u, 12u, 120u, 9000u, 130'000u, 1'200'000u}) {
      dirty(to);
      auto* block = static_cast<char*>(xi_zalloc(from));
      memset(block, 0xa5, from);
      block = static_cast<char*>(xi_rezalloc(block, to));
      for (size_t i = 0; i < from && i < to; ++i) ASSERT_EQ(static_cast<unsigned char>(block[i]), 0xa5);
      EXPECT_TRUE(zero_between(block, from < to ? from : to, xi_usable_size(block))) << from << " to " << to;
      dirty(to);
      block = static_cast<char*>(xi_recalloc_aligned_at(block, 1, to + 40, 64, 4));
      EXPECT_TRUE(is_aligned(address_of(block) + 4, 64));
      EXPECT_TRUE(zero_between(block, from < to ? from : to, xi_usable_size(block))) << from << " to " << to;
      block = static_cast<char*>(xi_aligned_recalloc(block, 2, to, 128));
      EXPECT_TRUE(is_aligned(address_of(block), 128));
      EXPECT_TRUE(zero_between(block, from < to ? from : to, xi_usable_size(block)));
      block = static_cast<char*>(xi_aligned_offset_recalloc(block, 3, to, 32, 8));
      EXPECT_TRUE(is_aligned(address_of(block) + 8, 32));
      EXPECT_TRUE(zero_between(block, from < to ? from : to, xi_usable_size(block)));
      xi_free(block);
    }
  }
}

TEST_F(FamilyTest, ReallocfFreesWhatItCannotResize) {
  void* const block = xi_malloc(500'000);
  expect_enomem("reallocf", [=] { return xi_reallocf(block, opaque(SIZE_MAX)); });
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u) << "the block is gone";
  void* const resized = xi_reallocf(xi_malloc(8), 100);
  EXPECT_GE(xi_usable_size(resized), 100u);
  int local = 0;
  errno = 0;
  EXPECT_EQ(xi_reallocf(&local, 8), nullptr) << "not ours, and not freed";
  EXPECT_EQ(errno, EINVAL);
  xi_free(resized);
}

TEST_F(FamilyTest, ReallocarrAnswersWithTheErrorAndKeepsErrno) {
  void* block = nullptr;
  errno = 4711;
  EXPECT_EQ(xi_reallocarr(&block, 10, 10), 0);
  ASSERT_NE(block, nullptr);
  memset(block, 3, 100);
  EXPECT_EQ(xi_reallocarr(&block, 1000, 10), 0);
  EXPECT_EQ(static_cast<char*>(block)[99], 3);
  void* const before = block;
  EXPECT_EQ(xi_reallocarr(&block, kHalf, 2), ENOMEM);
  EXPECT_EQ(xi_reallocarr(&block, kHalf, 1), ENOMEM);
  EXPECT_EQ(xi_reallocarr(nullptr, 1, 1), EINVAL);
  EXPECT_EQ(block, before);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(xi_reallocarr(&block, 0, 10), 0);
  EXPECT_NE(block, nullptr) << "a minimal block, as of realloc";
  xi_free(block);
}

TEST_F(FamilyTest, ExpandNeverMoves) {
  auto* const block = static_cast<char*>(xi_malloc(100));
  memset(block, 9, 100);
  const size_t usable = xi_usable_size(block);
  EXPECT_EQ(xi_expand(block, usable), block);
  EXPECT_EQ(xi_expand(block, 0), block);
  EXPECT_EQ(block[99], 9);
  expect_enomem("expand", [=] { return xi_expand(block, usable + 1); });
  int local = 0;
  for (void* pointer : {static_cast<void*>(nullptr), static_cast<void*>(&local)}) {
    errno = 0;
    EXPECT_EQ(xi_expand(pointer, 1), nullptr);
    EXPECT_EQ(errno, EINVAL);
  }
  xi_free(block);
}

// One name after the other, with a size that no default would give.
TEST_F(FamilyTest, EachNameGivesWhatItSays) {
  const auto expect_block = [](void* block, size_t size, size_t alignment, size_t offset) {
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment)) << alignment;
    EXPECT_GE(xi_usable_size(block), size);
    memset(block, 0x5e, size);
    xi_free(block);
  };
  for (int round = 0; round < 20; ++round) {
    expect_block(xi_mallocn(7, 300), 2100, 16, 0);
    expect_block(xi_malloc_aligned(2100, 512), 2100, 512, 0);
    expect_block(xi_memalign(512, 2100), 2100, 512, 0);
    expect_block(xi_calloc_aligned(7, 300, 512), 2100, 512, 0);
    expect_block(xi_calloc_aligned_at(7, 300, 512, 24), 2100, 512, 24);
    expect_block(xi_zalloc_aligned(2100, 512), 2100, 512, 0);
    expect_block(xi_zalloc_aligned_at(2100, 512, 24), 2100, 512, 24);
  }
}

TEST_F(FamilyTest, EachReallocKeepsTheContents) {
  auto* block = static_cast<unsigned char*>(xi_malloc(64));
  for (unsigned char i = 0; i < 64; ++i) block[i] = i;
  size_t size = 64;
  const auto expect_kept = [&](const char* what, void* moved, size_t alignment, size_t offset) {
    ASSERT_NE(moved, nullptr) << what;
    block = static_cast<unsigned char*>(moved);
    EXPECT_TRUE(is_aligned(address_of(block) + offset, alignment)) << what;
    EXPECT_GE(xi_usable_size(block), size) << what;
    for (size_t i = 0; i < 64; ++i) ASSERT_EQ(block[i], i) << what;
    size *= 2;
  };
  expect_kept("reallocn", xi_reallocn(block, 4, size / 4), 16, 0);
  expect_kept("reallocarray", xi_reallocarray(block, 4, size / 4), 16, 0);
  expect_kept("reallocf", xi_reallocf(block, size), 16, 0);
  expect_kept("rezalloc", xi_rezalloc(block, size), 16, 0);
  expect_kept("recalloc", xi_recalloc(block, size / 4, 4), 16, 0);
  expect_kept("realloc_aligned", xi_realloc_aligned(block, size, 256), 256, 0);
  expect_kept("realloc_aligned_at", xi_realloc_aligned_at(block, size, 256, 40), 256, 40);
  expect_kept("rezalloc_aligned", xi_rezalloc_aligned(block, size, 256), 256, 0);
  expect_kept("rezalloc_aligned_at", xi_rezalloc_aligned_at(block, size, 256, 40), 256, 40);
  expect_kept("recalloc_aligned", xi_recalloc_aligned(block, size / 4, 4, 256), 256, 0);
  expect_kept("recalloc_aligned_at", xi_recalloc_aligned_at(block, size / 4, 4, 256, 40), 256, 40);
  expect_kept("urealloc", xi_urealloc(block, size, nullptr, nullptr), 16, 0);
  xi_free(block);
}

TEST_F(FamilyTest, PagesOfTheSystem) {
  for (size_t size : {0u, 1u, 4096u, 4097u, 100'000u}) {
    void* const plain = xi_valloc(size);
    void* const rounded = xi_pvalloc(size);
    EXPECT_TRUE(is_aligned(address_of(plain), 4096));
    EXPECT_TRUE(is_aligned(address_of(rounded), 4096));
    EXPECT_GE(xi_usable_size(rounded), align_up(size, 4096));
    xi_free(plain);
    xi_cfree(rounded);
  }
}

TEST_F(FamilyTest, SizesThatAreTold) {
  for (size_t size : {0u, 1u, 8u, 100u, 1000u, 5000u, 70'000u, 600'000u, 5'000'000u}) {
    size_t block_size = 0;
    void* block = xi_umalloc(size, &block_size);
    EXPECT_EQ(block_size, xi_usable_size(block));
    EXPECT_EQ(block_size, xi_malloc_size(block));
    EXPECT_EQ(block_size, xi_good_size(size));
    EXPECT_EQ(block_size, xi_malloc_good_size(size));
    size_t before = 0, after = 0;
    block = xi_urealloc(block, size + 1000, &before, &after);
    EXPECT_EQ(before, block_size);
    EXPECT_EQ(after, xi_usable_size(block));
    EXPECT_GE(after, size + 1000);
    xi_ufree(block, &block_size);
    EXPECT_EQ(block_size, after);
    block = xi_umalloc_aligned(size, 256, &block_size);
    EXPECT_EQ(block_size, xi_usable_size(block));
    xi_ufree(block, nullptr);
  }
  size_t block_size = 1;
  xi_ufree(nullptr, &block_size);
  EXPECT_EQ(block_size, 0u);
  void* const small = xi_umalloc_small(1024, &block_size);
  EXPECT_EQ(block_size, 1024u);
  xi_free(small);
  EXPECT_EQ(xi_good_size(SIZE_MAX), SIZE_MAX);
}

TEST_F(FamilyTest, SmallIsMallocWithoutTheQuestion) {
  for (size_t size = 0; size <= XI_SMALL_SIZE_MAX; ++size) {
    void* const block = xi_malloc_small(size);
    ASSERT_GE(xi_usable_size(block), size);
    xi_free_small(block);
  }
  EXPECT_DEATH(static_cast<void>(xi_malloc_small(opaque(XI_SMALL_SIZE_MAX + 1))), "assertion failed");
  EXPECT_DEATH(static_cast<void>(xi_zalloc_small(opaque(XI_SMALL_SIZE_MAX + 1))), "assertion failed");
}

TEST_F(FamilyTest, WhatTheCallerKnowsOfABlockIsAsserted) {
  xi_free_size(xi_malloc(100), 100);
  xi_free_size(xi_malloc(0), 0);
  xi_free_size_aligned(xi_aligned_alloc(64, 100), 100, 64);
  xi_free_aligned(xi_aligned_alloc(64, 100), 64);
  xi_free_size(nullptr, 8);
  xi_free_size_aligned(nullptr, 8, 8);
  xi_free_aligned(nullptr, 8);
  xi_free_small(nullptr);
  void* const block = xi_malloc(100);
  EXPECT_DEATH(xi_free_size(block, 1000), "assertion failed");
  EXPECT_DEATH(xi_free_size_aligned(block, 100, 1 << 20), "assertion failed");
  EXPECT_DEATH(xi_free_aligned(block, 1 << 20), "assertion failed");
  xi_free(block);
  void* const large = xi_malloc(2000);
  EXPECT_DEATH(xi_free_small(large), "assertion failed");
  xi_free(large);
}

TEST_F(FamilyTest, Strings) {
  char* const whole = xi_strdup("whole");
  EXPECT_STREQ(whole, "whole");
  char* const part = xi_strndup("part and more", 4);
  EXPECT_STREQ(part, "part");
  const char unterminated[3] = {'a', 'b', 'c'};
  char* const bounded = xi_strndup(unterminated, 3);
  EXPECT_STREQ(bounded, "abc");
  char* const empty = xi_strndup("x", 0);
  EXPECT_STREQ(empty, "");
  for (char* string : {whole, part, bounded, empty}) xi_free(string);
  errno = 0;
  EXPECT_EQ(xi_strdup(nullptr), nullptr);
  EXPECT_EQ(errno, EINVAL);
  errno = 0;
  EXPECT_EQ(xi_strndup(nullptr, 3), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(FamilyTest, StringsWithoutMemory) {
  FailCalls fail{kReserves, 1, true};
  fail.install();
  errno = 0;
  EXPECT_EQ(xi_strdup("text"), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST_F(FamilyTest, Realpath) {
  char* const root = xi_realpath("/proc/../usr/./", nullptr);
  EXPECT_STREQ(root, "/usr");
  EXPECT_TRUE(xi_is_in_heap_region(root));
  xi_free(root);
  char buffer[PATH_MAX];
  EXPECT_EQ(xi_realpath("/usr/..", buffer), buffer);
  EXPECT_STREQ(buffer, "/");
  errno = 0;
  EXPECT_EQ(xi_realpath("/nothing/is/here", nullptr), nullptr);
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(FamilyTest, AnyAddressMayBeAskedWhoseItIs) {
  auto* const block = static_cast<char*>(xi_malloc(100));
  auto* const own_mapping = static_cast<char*>(xi_aligned_alloc(size_t{1} << 30, 10));
  for (char* pointer : {block, block + 50, own_mapping}) {
    EXPECT_TRUE(xi_check_owned(pointer));
    EXPECT_TRUE(xi_is_in_heap_region(pointer));
  }
  std::string other;
  for (const void* pointer : {static_cast<const void*>(nullptr), static_cast<const void*>(&other),
                              reinterpret_cast<const void*>(UINTPTR_MAX), reinterpret_cast<const void*>(1)}) {
    EXPECT_FALSE(xi_check_owned(pointer));
    EXPECT_FALSE(xi_is_in_heap_region(pointer));
  }
  EXPECT_FALSE(xi_check_owned(block + 100 * kSliceSize)) << "free memory is nobody's";
  EXPECT_TRUE(xi_is_in_heap_region(block + 100 * kSliceSize));
  xi_free(own_mapping);
  EXPECT_FALSE(xi_is_in_heap_region(own_mapping));
  xi_free(block);
}

}  // namespace
}  // namespace xi
