#include "allocator/support/options.h"

#include <gtest/gtest.h>

namespace xi {
namespace {

TEST(OptionsTest, NumbersAndSuffixes) {
  int64_t value = 0;
  EXPECT_TRUE(parse_option("0", &value));
  EXPECT_EQ(value, 0);
  EXPECT_TRUE(parse_option("-1", &value));
  EXPECT_EQ(value, -1);
  EXPECT_TRUE(parse_option("64M", &value));
  EXPECT_EQ(value, int64_t{64} << 20);
  EXPECT_TRUE(parse_option("3G", &value));
  EXPECT_EQ(value, int64_t{3} << 30);
  EXPECT_TRUE(parse_option("5K", &value));
  EXPECT_EQ(value, 5120);
}

TEST(OptionsTest, WhatIsNoNumberIsRefused) {
  int64_t value = 42;
  for (const char* text : {"", "-", "x", "1x", "1KK", "1 ", "99999999999999999999", "9223372036854775807K"}) {
    EXPECT_FALSE(parse_option(text, &value)) << text;
  }
  EXPECT_EQ(value, 42);
}

}  // namespace
}  // namespace xi
