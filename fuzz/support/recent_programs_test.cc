#include "fuzz/support/recent_programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace assay::fuzz {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(RecentPrograms, AreInTheOrderInWhichTheyRan) {
  const auto recent = std::make_unique<RecentPrograms>();
  EXPECT_THAT(recent->all(), testing::IsEmpty());
  recent->keep(Bytes{1, 2, 3});
  recent->keep(Bytes{});
  recent->keep(Bytes{4});
  EXPECT_THAT(recent->all(), testing::ElementsAre(Bytes{1, 2, 3}, Bytes{}, Bytes{4}));
  recent->forget();
  EXPECT_THAT(recent->all(), testing::IsEmpty());
}

// Each round the ring's end falls into another place of a program.
TEST(RecentPrograms, TheOldestAreOverwrittenFirst) {
  const auto recent = std::make_unique<RecentPrograms>();
  const auto program = [](size_t i) { return Bytes(i % 300, static_cast<uint8_t>(i)); };
  for (size_t i = 0; i < 20'000; ++i) {
    recent->keep(program(i));
    if (i % 1'000 != 999) continue;
    const std::vector<Bytes> kept = recent->all();
    ASSERT_LE(kept.size(), i + 1);
    size_t bytes = 0;
    for (size_t k = 0; k < kept.size(); ++k) {
      ASSERT_EQ(kept[k], program(i + 1 - kept.size() + k));
      bytes += kept[k].size() + 4;
    }
    if (kept.size() == i + 1) continue;
    EXPECT_LE(bytes, RecentPrograms::kBytes);
    EXPECT_GT(bytes + 304, RecentPrograms::kBytes) << "the next older one would have fit";
  }
}

TEST(RecentPrograms, OneThatIsTooLongEndsWhatCanBeJoined) {
  const auto recent = std::make_unique<RecentPrograms>();
  recent->keep(Bytes{1});
  recent->keep(Bytes(RecentPrograms::kLongest + 1));
  recent->keep(Bytes{2});
  EXPECT_THAT(recent->all(), testing::ElementsAre(Bytes{2}));
  recent->keep(Bytes(RecentPrograms::kLongest, 7));
  EXPECT_EQ(recent->all().size(), 2U);
}

}  // namespace
}  // namespace assay::fuzz
