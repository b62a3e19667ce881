#include "allocator/page/bin.h"

#include <gtest/gtest.h>

namespace xi {
namespace {

TEST(BinTest, EverySizeGetsTheSmallestBlockThatHoldsIt) {
  size_t bin = 0;
  for (size_t size = 0; size <= kLargeBlockMax; ++size) {
    if (size > Bin(bin).block_size()) ++bin;
    ASSERT_EQ(Bin::of_size(size).index(), bin) << size;
  }
  EXPECT_EQ(bin + 1, kBinCount);
}

TEST(BinTest, AtMostAnEighthIsLostAbove128Bytes) {
  for (size_t size = 129; size <= kLargeBlockMax; ++size) {
    ASSERT_LE((Bin::of_size(size).block_size() - size) * 8, size) << size;
  }
}

TEST(BinTest, AMultipleOfAnAlignmentGetsABlockThatIsOneToo) {
  for (size_t alignment = 1; alignment <= kSliceSize; alignment *= 2) {
    for (size_t size = alignment; size <= kLargeBlockMax; size += alignment) {
      ASSERT_EQ(Bin::of_size(size).block_size() % alignment, 0u) << size << " at " << alignment;
    }
  }
}

TEST(BinTest, BlocksAreAlignedAsPlainCallsPromise) {
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    EXPECT_EQ(Bin(bin).block_size() % (bin == 0 ? 8 : 16), 0u);
    EXPECT_GE((Bin(bin).page_slices() << kSliceShift) / Bin(bin).block_size(), 8u);
  }
}

}  // namespace
}  // namespace xi
