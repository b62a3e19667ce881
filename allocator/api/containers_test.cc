// The C++ header: containers of the standard library over ximalloc.
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory_resource>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/include/ximalloc.hpp"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

using ContainersTest = FreshAllocator;

struct alignas(256) Wide {
  int value = 0;
};
struct alignas(16) Pair {
  int64_t words[2] = {};
};

TEST_F(ContainersTest, TheAllocatorServesEachContainer) {
  {
    std::vector<int, allocator<int>> numbers;
    for (int i = 0; i < 10'000; ++i) numbers.push_back(i);
    EXPECT_TRUE(xi_check_owned(numbers.data()));
    EXPECT_EQ(numbers[9'999], 9'999);
    std::list<Wide, allocator<Wide>> wides(10);
    for (const Wide& wide : wides) EXPECT_TRUE(is_aligned(address_of(&wide), alignof(Wide)));
    std::unordered_map<int, Pair, std::hash<int>, std::equal_to<>, allocator<std::pair<const int, Pair>>> pairs;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(is_aligned(address_of(&pairs[i]), alignof(Pair)));
    using String = std::basic_string<char, std::char_traits<char>, allocator<char>>;
    const String text(1000, 'x');
    EXPECT_TRUE(xi_check_owned(text.data()));
    EXPECT_GT(statistics.live_blocks.get(), 1000);
  }
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  EXPECT_TRUE(allocator<int>() == allocator<long>());
  EXPECT_FALSE(allocator<int>() != allocator<long>());
}

TEST_F(ContainersTest, WhatCannotBeIsAnException) {
  allocator<int64_t> plain;
  EXPECT_THROW(static_cast<void>(plain.allocate(std::numeric_limits<size_t>::max() / 4)), std::bad_array_new_length);
  EXPECT_THROW(static_cast<void>(plain.allocate(std::numeric_limits<size_t>::max() / 16)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(allocator<Wide>().allocate(size_t{1} << 52)), std::bad_alloc);
  const scoped_heap heap;
  EXPECT_THROW(static_cast<void>(heap_allocator<int64_t>(heap).allocate(size_t{1} << 59)), std::bad_alloc);
  std::thread([&] {
    EXPECT_THROW(static_cast<void>(heap_allocator<int>(heap).allocate(1)), std::bad_alloc) << "it is not its heap";
  }).join();
}

TEST_F(ContainersTest, AHeapsContainersAreInTheHeap) {
  {
    const scoped_heap heap, other;
    const heap_allocator<int> from(heap);
    std::vector<int, heap_allocator<int>> numbers(1000, 7, from);
    std::map<int, Wide, std::less<>, heap_allocator<std::pair<const int, Wide>>> wides(from);
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(xi_heap_contains_block(heap.get(), numbers.data()));
      EXPECT_TRUE(xi_heap_check_owned(heap.get(), &wides[i]));
      EXPECT_TRUE(is_aligned(address_of(&wides[i]), alignof(Wide)));
    }
    EXPECT_TRUE(from == heap_allocator<long>(heap));
    EXPECT_TRUE(from != heap_allocator<int>(other));
    std::thread([moved = std::move(numbers)]() mutable { moved.clear(); }).join();
  }
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  EXPECT_EQ(statistics.heaps.get(), 1);
}

TEST_F(ContainersTest, AHeapThatIsDestroyedTakesItsBlocksAlong) {
  void* kept = nullptr;
  {
    const scoped_heap deleted, destroyed(scoped_heap::end::kDestroy);
    kept = heap_allocator<Wide>(deleted).allocate(1);
    EXPECT_NE(heap_allocator<Wide>(destroyed).allocate(3), nullptr);
    EXPECT_EQ(statistics.live_blocks.get(), 2);
  }
  EXPECT_EQ(statistics.live_blocks.get(), 1);
  xi_free(kept);
}

TEST_F(ContainersTest, MemoryResources) {
  {
    memory_resource plain, same;
    EXPECT_TRUE(plain == same);
    EXPECT_FALSE(plain == *std::pmr::new_delete_resource());
    std::pmr::vector<int> numbers({1, 2, 3}, &plain);
    EXPECT_TRUE(xi_check_owned(numbers.data()));
    const scoped_heap heap;
    heap_memory_resource of_heap(heap), again(heap);
    EXPECT_FALSE(of_heap == again);
    EXPECT_EQ(of_heap.heap(), heap.get());
    std::pmr::list<Wide> wides(5, &of_heap);
    for (const Wide& wide : wides) EXPECT_TRUE(xi_heap_check_owned(heap.get(), &wide));
    void* const odd = of_heap.allocate(3, 64);
    EXPECT_TRUE(is_aligned(address_of(odd), 64));
    of_heap.deallocate(odd, 3, 64);
    void* const none = plain.allocate(0, 8);
    plain.deallocate(none, 0, 8);
    EXPECT_THROW(static_cast<void>(plain.allocate(std::numeric_limits<size_t>::max(), 8)), std::bad_alloc);
  }
  EXPECT_EQ(statistics.live_blocks.get(), 0);
}

}  // namespace
}  // namespace xi
