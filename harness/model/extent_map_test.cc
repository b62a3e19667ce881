#include "harness/model/extent_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace assay {
namespace {

constexpr uintptr_t kBase = 0x7f12'3456'0000;
constexpr size_t kLeafBytes = size_t{512} << 10;

TEST(ExtentMap, RefusesWhatSharesAByte) {
  ExtentMap map;
  EXPECT_TRUE(map.insert(kBase, 48));
  EXPECT_FALSE(map.insert(kBase, 48));
  EXPECT_FALSE(map.insert(kBase + 40, 100));
  EXPECT_FALSE(map.insert(kBase - 4096, 4097));
  EXPECT_TRUE(map.insert(kBase + 48, 16));
  map.remove(kBase, 48);
  EXPECT_TRUE(map.insert(kBase, 48));
}

TEST(ExtentMap, BlocksThatCoverWholeLeaves) {
  ExtentMap map;
  const uintptr_t begin = kBase + 16;
  EXPECT_TRUE(map.insert(begin, 5 * kLeafBytes));
  EXPECT_FALSE(map.insert(begin + 2 * kLeafBytes, 8));
  EXPECT_FALSE(map.insert(begin + 5 * kLeafBytes - 8, 64));
  EXPECT_TRUE(map.insert(begin + 5 * kLeafBytes, 64));
  map.remove(begin, 5 * kLeafBytes);
  EXPECT_TRUE(map.insert(begin + 2 * kLeafBytes, 8));
  EXPECT_FALSE(map.insert(begin, 5 * kLeafBytes));
}

// Random blocks against a list that is searched one by one.
TEST(ExtentMap, AgreesWithASearchOfAllBlocks) {
  std::mt19937_64 random(7);
  ExtentMap map;
  std::vector<std::pair<uintptr_t, size_t>> blocks;
  for (int i = 0; i < 20'000; ++i) {
    if (!blocks.empty() && random() % 3 == 0) {
      const size_t index = random() % blocks.size();
      map.remove(blocks[index].first, blocks[index].second);
      blocks[index] = blocks.back();
      blocks.pop_back();
      continue;
    }
    const uintptr_t begin = kBase + random() % (8 * kLeafBytes) / 8 * 8;
    const size_t size = (random() % (random() % 50 == 0 ? 3 * kLeafBytes : 600) + 8) / 8 * 8;
    const bool free = std::none_of(blocks.begin(), blocks.end(), [&](const auto& block) {
      return block.first < begin + size && begin < block.first + block.second;
    });
    ASSERT_EQ(map.insert(begin, size), free);
    if (free) blocks.emplace_back(begin, size);
  }
}

}  // namespace
}  // namespace assay
