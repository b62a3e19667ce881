#include "harness/model/pattern.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace assay {
namespace {

TEST(Pattern, FindsEachSingleWrongByte) {
  for (const size_t size : {1u, 7u, 8u, 9u, 63u, 64u, 255u, 256u, 257u, 1000u}) {
    std::vector<unsigned char> block(size + 3);
    unsigned char* unaligned = block.data() + 3;
    fill_pattern(unaligned, 42, 0, size);
    EXPECT_EQ(first_wrong_byte(unaligned, 42, 0, size), kAllRight);
    for (size_t at = 0; at < size; ++at) {
      unaligned[at] ^= 0x10;
      EXPECT_EQ(first_wrong_byte(unaligned, 42, 0, size), at);
      unaligned[at] ^= 0x10;
    }
  }
}

// A fill in two parts is the same as one, wherever the cut is.
TEST(Pattern, PartsMakeTheWhole) {
  unsigned char whole[200], parts[200];
  fill_pattern(whole, 9, 0, sizeof whole);
  for (size_t cut = 0; cut <= sizeof parts; ++cut) {
    std::memset(parts, 0, sizeof parts);
    fill_pattern(parts, 9, 0, cut);
    fill_pattern(parts, 9, cut, sizeof parts);
    ASSERT_EQ(std::memcmp(whole, parts, sizeof whole), 0);
  }
}

// What a broken allocator leaves behind: another block's bytes, the right bytes a word off, zeroes.
TEST(Pattern, DiffersFromNeighboursShiftsAndZeroes) {
  unsigned char block[64], other[64];
  fill_pattern(block, block_seed(1), 0, sizeof block);
  fill_pattern(other, block_seed(2), 0, sizeof other);
  EXPECT_EQ(first_wrong_byte(other, block_seed(1), 0, sizeof other), 0u);
  std::memmove(block, block + 8, 56);
  EXPECT_LT(first_wrong_byte(block, block_seed(1), 0, sizeof block), 8u);
  std::memset(block, 0, sizeof block);
  EXPECT_NE(first_wrong_byte(block, block_seed(1), 0, sizeof block), kAllRight);
}

TEST(Pattern, FindsTheFirstByteThatIsNotZero) {
  std::vector<unsigned char> block(700);
  EXPECT_EQ(first_nonzero_byte(block.data(), 0, block.size()), kAllRight);
  for (const size_t at : {0u, 5u, 255u, 256u, 699u}) {
    block[at] = 1;
    EXPECT_EQ(first_nonzero_byte(block.data(), 0, block.size()), at);
    block[at] = 0;
  }
}

TEST(FillPlan, CoversBothEndsInAscendingParts) {
  for (const FillPlan& plan : {kSampledPlan, kSampledDensePlan, kStrictPlan}) {
    for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{65536}, uint64_t{65537}, uint64_t{1} << 20,
                                (uint64_t{64} << 20) + 1, uint64_t{1} << 30, uint64_t{1} << 40}) {
      uint64_t end = 0;
      bool first = true;
      for_each_part(plan, size, [&](uint64_t from, uint64_t to) {
        EXPECT_TRUE(first ? from == 0 : from >= end);
        EXPECT_LT(from, to);
        first = false;
        end = to;
        return true;
      });
      EXPECT_EQ(end, size);
      EXPECT_LE(planned_bytes(plan, size), plan.dense_bytes + plan.samples * kSampleBytes);
    }
  }
}

}  // namespace
}  // namespace assay
