#include "allocator/page_map/page_map.h"

#include "allocator/api/fixture_for_test.h"

namespace xi {
namespace {

using PageMapTest = FreshAllocator;

const void* at(uintptr_t address) {
  return reinterpret_cast<const void*>(address);
}

TEST_F(PageMapTest, AnyAddressMayBeAsked) {
  for (size_t bit = 0; bit < 64; ++bit) {
    EXPECT_EQ(page_map::find(at(uintptr_t{1} << bit)), nullptr);
    EXPECT_EQ(page_map::find(at((uintptr_t{1} << bit) - 1)), nullptr);
  }
  EXPECT_EQ(page_map::find(at(~uintptr_t{0})), nullptr);
}

TEST_F(PageMapTest, EntersExactlyTheSlicesOfAPageAcrossLeaves) {
  auto* const page = reinterpret_cast<Page*>(0x1000);
  const uintptr_t base = 5 * kGiB - 2 * kSliceSize;
  ASSERT_TRUE(page_map::cover(base - kSliceSize, 6 * kSliceSize));
  page_map::enter(base, 4, page);
  EXPECT_EQ(page_map::find(at(base - 1)), nullptr);
  EXPECT_EQ(page_map::find(at(base)), page);
  EXPECT_EQ(page_map::find(at(base + 4 * kSliceSize - 1)), page);
  EXPECT_EQ(page_map::find(at(base + 4 * kSliceSize)), nullptr);
  page_map::enter(base, 4, nullptr);
  EXPECT_EQ(page_map::find(at(base)), nullptr);
}

TEST_F(PageMapTest, NoMemoryForALeafIsAnAnswer) {
  FailCalls fail{kMaps, 1};
  fail.install();
  EXPECT_FALSE(page_map::cover(7 * kGiB, kSliceSize));
  EXPECT_TRUE(page_map::cover(7 * kGiB, kSliceSize));
  EXPECT_FALSE(page_map::cover(uintptr_t{1} << 47, kSliceSize));
}

}  // namespace
}  // namespace xi
