// What operator new does. This program has a C++ library: its handler and its exception are the real ones.
#include <cerrno>
#include <new>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"

namespace xi {
namespace {

size_t opaque(size_t value) {
  volatile size_t copy = value;
  return copy;
}

class NewTest : public FreshAllocator {
 protected:
  void TearDown() override {
    std::set_new_handler(nullptr);
    FreshAllocator::TearDown();
  }
  static inline int calls = 0;
};

TEST_F(NewTest, EachGivesABlock) {
  const auto expect_block = [](void* block, size_t size, size_t alignment) {
    ASSERT_NE(block, nullptr);
    EXPECT_GE(xi_usable_size(block), size);
    EXPECT_TRUE(is_aligned(address_of(block), alignment));
    xi_free(block);
  };
  expect_block(xi_new(100), 100, 16);
  expect_block(xi_new(0), 0, 1);
  expect_block(xi_new_n(10, 30), 300, 16);
  expect_block(xi_new_nothrow(100), 100, 16);
  expect_block(xi_new_aligned(100, 256), 100, 256);
  expect_block(xi_new_aligned_nothrow(100, 256), 100, 256);
  auto* const block = static_cast<char*>(xi_new_realloc(xi_new(1), 100));
  block[99] = 5;
  auto* const larger = static_cast<char*>(xi_new_reallocn(block, 100, 100));
  EXPECT_EQ(larger[99], 5);
  expect_block(larger, 10'000, 16);
}

TEST_F(NewTest, WithoutMemoryBadAllocIsThrownThroughTheAllocator) {
  void* const block = xi_new(10);
  EXPECT_THROW(static_cast<void>(xi_new(opaque(SIZE_MAX))), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_new_n(opaque(SIZE_MAX), 2)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_new_aligned(opaque(SIZE_MAX), 64)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_new_realloc(block, opaque(SIZE_MAX))), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_new_reallocn(block, opaque(SIZE_MAX), 2)), std::bad_alloc);
  errno = 0;
  EXPECT_EQ(xi_new_nothrow(opaque(SIZE_MAX)), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(xi_new_aligned_nothrow(opaque(SIZE_MAX), 64), nullptr);
  xi_free(block);
}

TEST_F(NewTest, TheHandlerIsCalledUntilThereIsMemory) {
  static FailCalls fail{kCommits, 1, true};
  fail.install();
  calls = 0;
  std::set_new_handler([] {
    if (++calls == 3) xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  });
  void* const block = xi_new(100'000);
  EXPECT_NE(block, nullptr);
  EXPECT_EQ(calls, 3);
  xi_free(block);
}

TEST_F(NewTest, AHandlerMayThrowOrGiveUp) {
  calls = 0;
  std::set_new_handler([] {
    if (++calls == 2) std::set_new_handler(nullptr);
  });
  EXPECT_EQ(xi_new_nothrow(opaque(SIZE_MAX)), nullptr);
  EXPECT_EQ(calls, 2);
  std::set_new_handler([] { throw 42; });
  EXPECT_THROW(static_cast<void>(xi_new(opaque(SIZE_MAX))), int);
  calls = 0;
  std::set_new_handler([] { ++calls; });
  EXPECT_THROW(static_cast<void>(xi_new_n(opaque(SIZE_MAX), 2)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(xi_new_aligned(8, opaque(24))), std::bad_alloc);
  EXPECT_EQ(calls, 0) << "no handler can help these";
}

}  // namespace
}  // namespace xi
