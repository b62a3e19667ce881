#include "allocator/base/bitmap.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace xi {
namespace {

constexpr size_t kBits = 200;

class BitmapTest : public testing::Test {
 protected:
  std::array<Bitmap::Word, Bitmap::words_for(kBits)> words_{};
  Bitmap bits_{words_.data(), kBits};
};

TEST_F(BitmapTest, SetAndClearReachAcrossWords) {
  bits_.set(60, 80);
  EXPECT_TRUE(bits_.all_set(60, 80));
  EXPECT_FALSE(bits_.get(59));
  EXPECT_FALSE(bits_.get(140));
  bits_.clear(64, 64);
  EXPECT_EQ(bits_.first_set(0, kBits), 60u);
  EXPECT_EQ(bits_.first_clear(60, kBits), 64u);
  EXPECT_EQ(bits_.first_set(64, kBits), 128u);
  EXPECT_EQ(bits_.population(), 16u);
}

TEST_F(BitmapTest, SearchesEndWhereTheyAreTold) {
  bits_.set(130, 1);
  EXPECT_EQ(bits_.first_set(0, 130), Bitmap::kNone);
  EXPECT_EQ(bits_.first_set(0, 131), 130u);
  EXPECT_EQ(bits_.first_clear(130, 131), Bitmap::kNone);
}

TEST_F(BitmapTest, AFailedClaimGivesBackWhatItHad) {
  bits_.set(0, kBits);
  bits_.clear(150, 1);
  EXPECT_FALSE(bits_.try_claim(40, 120));
  EXPECT_EQ(bits_.population(), kBits - 1);
  EXPECT_TRUE(bits_.try_claim(40, 110));
  EXPECT_EQ(bits_.population(), kBits - 1 - 110);
}

TEST_F(BitmapTest, ClaimsTheFirstRunThatFits) {
  bits_.set(3, 4);
  bits_.set(62, 5);
  EXPECT_EQ(bits_.claim_run(0, 5, 1, 0), 62u);
  EXPECT_EQ(bits_.claim_run(0, 5, 1, 0), Bitmap::kNone);
  EXPECT_EQ(bits_.claim_run(4, 2, 1, 0), 4u);
  EXPECT_EQ(bits_.claim_run(0, 1, 1, 0), 3u);
}

TEST_F(BitmapTest, ARunMayEndWithTheBitmap) {
  bits_.set(kBits - 9, 9);
  EXPECT_EQ(bits_.claim_run(0, 10, 1, 0), Bitmap::kNone);
  EXPECT_EQ(bits_.claim_run(0, 9, 1, 0), kBits - 9);
}

TEST_F(BitmapTest, AlignmentCountsFromThePhase) {
  bits_.set(0, kBits);
  EXPECT_EQ(bits_.claim_run(0, 3, 16, 5), 11u);
  EXPECT_EQ(bits_.claim_run(0, 3, 16, 5), 27u);
  bits_.clear(43, 2);
  EXPECT_EQ(bits_.claim_run(0, 3, 16, 5), 59u);
}

// Two owners of one bit are what a claim must never make, however many threads claim runs that overlap.
TEST_F(BitmapTest, ConcurrentClaimsNeverOverlap) {
  bits_.set(0, kBits);
  std::array<Atomic<int>, kBits> owners{};
  Atomic<bool> overlap;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 4000; ++round) {
        const size_t count = 1 + (static_cast<size_t>(round) * 7 + t * 13) % 90;
        const size_t first = bits_.claim_run(0, count, 1, 0);
        if (first == Bitmap::kNone) continue;
        for (size_t i = first; i < first + count; ++i) {
          if (owners[i].fetch_add(1, kRelaxed) != 0) overlap.store(true, kRelaxed);
        }
        for (size_t i = first; i < first + count; ++i) owners[i].fetch_sub(1, kRelaxed);
        bits_.set(first, count);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlap.load(kRelaxed));
  EXPECT_EQ(bits_.population(), kBits);
}

}  // namespace
}  // namespace xi
