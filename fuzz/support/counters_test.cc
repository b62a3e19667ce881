#include "fuzz/support/counters.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace assay::fuzz {
namespace {

// Two blocks of ours, one of somebody else, and one that the compiler removed after it had counted it.
constexpr uintptr_t kOurs = 0x1000, kForeign = 0x2000, kRemoved = 1;
__attribute__((section("__sancov_pcs"), used))
const uintptr_t kTable[] = {kOurs, 1, kForeign, 0, kRemoved, 0, kOurs, 0};

bool is_ours(const void* pc) {
  return reinterpret_cast<uintptr_t>(pc) == kOurs;
}

TEST(Counters, WhatTheCompilerRemovedIsNobodysCode) {
  const CounterCensus census = count_counters(is_ours);
  EXPECT_EQ(census.allocator, 2U);
  EXPECT_EQ(census.foreign, 1U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(census.first_foreign), kForeign);
}

}  // namespace
}  // namespace assay::fuzz
