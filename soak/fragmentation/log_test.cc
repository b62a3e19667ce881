#include "soak/fragmentation/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "harness/op/program.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  std::string write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  std::string refusal(const std::string& text) {
    try {
      read_csv(write(text));
    } catch (const InputError& error) {
      return error.message;
    }
    return "";
  }
  ~LogTest() override { std::remove(path_.c_str()); }

  std::string path_ = ::testing::TempDir() + "soak_log_test.csv";
};

SoakSample sample(double hours) {
  return {.hours = hours,
          .operations = 10,
          .live_bytes = 100,
          .resident_bytes = 150,
          .mapped_bytes = 400,
          .minor_faults = 3,
          .touched_bytes = 125};
}

TEST_F(LogTest, WhatWasWrittenIsReadBack) {
  const auto samples = read_csv(write(csv_header() + csv_line(sample(1)) + csv_line(sample(2.5))));
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].hours, 2.5);
  EXPECT_EQ(samples[1].resident_bytes, 150u);
  EXPECT_EQ(samples[1].touched_bytes, 125u);
  EXPECT_EQ(samples[1].occupancy(), 0.8);
  EXPECT_EQ(csv_line(samples[0]), csv_line(sample(1)));
}

TEST_F(LogTest, ALineThatWasCutOffIsLeftOut) {
  const std::string line = csv_line(sample(2));
  EXPECT_EQ(read_csv(write(csv_header() + csv_line(sample(1)) + line.substr(0, 12))).size(), 1u);
}

TEST_F(LogTest, WhatIsNoSampleIsRefused) {
  EXPECT_THAT(refusal("1,2,3\n"), HasSubstr("does not begin"));
  EXPECT_THAT(refusal(""), HasSubstr("does not begin"));
  EXPECT_THAT(refusal(csv_header() + "1,2,x\n"), HasSubstr("line 2"));
  EXPECT_THAT(refusal(csv_header() + csv_line(sample(2)) + csv_line(sample(1))), HasSubstr("line 3"));
}

TEST(MeasureTest, WhatIsTouchedIsResident) {
  const SoakSample before = measure_process();
  constexpr size_t kBytes = size_t{32} << 20;
  std::string block(kBytes, 'x');
  const SoakSample after = measure_process();
  EXPECT_GE(after.resident_bytes, before.resident_bytes + kBytes * 9 / 10);
  EXPECT_GE(after.mapped_bytes, before.mapped_bytes + kBytes * 9 / 10);
  EXPECT_GT(after.minor_faults, before.minor_faults);
  EXPECT_EQ(block[kBytes / 2], 'x');
}

}  // namespace
}  // namespace assay
