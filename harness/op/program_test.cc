#include "harness/op/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/op/text.h"

namespace assay {
namespace {

std::vector<uint32_t> slots_of(const SlotRange& range) {
  std::vector<uint32_t> slots;
  for (SlotCursor cursor(range); !cursor.done();) slots.push_back(cursor.next());
  return slots;
}

TEST(OpsDef, OpcodesAndNamesAreUnique) {
  std::set<OpCode> codes;
  std::set<std::string_view> names;
  for (const OpInfo& row : all_ops()) {
    EXPECT_TRUE(codes.insert(row.code).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(find_op(row.name), find_op(row.code));
    if (row.precondition == Precondition::kLastLine) continue;
    EXPECT_GT(row.weight, 0u) << row.name << " would never be drawn";
  }
  EXPECT_EQ(find_op("mallok"), nullptr);
  EXPECT_EQ(find_op(static_cast<OpCode>(255)), nullptr);
}

// The numbers are in every byte-form file that exists: a change here is a change of all of them.
TEST(OpsDef, OpcodesNeverChange) {
  const std::pair<std::string_view, int> pinned[] = {{"malloc", 0},
                                                     {"calloc", 1},
                                                     {"realloc", 2},
                                                     {"aligned_alloc", 3},
                                                     {"posix_memalign", 4},
                                                     {"free", 5},
                                                     {"usable_size", 6},
                                                     {"collect", 7},
                                                     {"thread_exit", 8},
                                                     {"advance_clock", 9},
                                                     {"fork", 10},
                                                     {"check", 11},
                                                     {"check_all", 12},
                                                     {"zalloc", 20},
                                                     {"malloc_small", 21},
                                                     {"zalloc_small", 22},
                                                     {"mallocn", 23},
                                                     {"reallocn", 24},
                                                     {"reallocf", 25},
                                                     {"rezalloc", 26},
                                                     {"recalloc", 27},
                                                     {"reallocarray", 28},
                                                     {"reallocarr", 29},
                                                     {"expand", 30},
                                                     {"malloc_aligned", 31},
                                                     {"malloc_aligned_at", 32},
                                                     {"zalloc_aligned", 33},
                                                     {"zalloc_aligned_at", 34},
                                                     {"calloc_aligned", 35},
                                                     {"calloc_aligned_at", 36},
                                                     {"realloc_aligned", 37},
                                                     {"realloc_aligned_at", 38},
                                                     {"rezalloc_aligned", 39},
                                                     {"rezalloc_aligned_at", 40},
                                                     {"recalloc_aligned", 41},
                                                     {"recalloc_aligned_at", 42},
                                                     {"aligned_recalloc", 43},
                                                     {"aligned_offset_recalloc", 44},
                                                     {"memalign", 45},
                                                     {"valloc", 46},
                                                     {"pvalloc", 47},
                                                     {"umalloc", 48},
                                                     {"ucalloc", 49},
                                                     {"urealloc", 50},
                                                     {"ufree", 51},
                                                     {"umalloc_small", 52},
                                                     {"uzalloc_small", 53},
                                                     {"umalloc_aligned", 54},
                                                     {"uzalloc_aligned", 55},
                                                     {"free_size", 56},
                                                     {"free_size_aligned", 57},
                                                     {"free_aligned", 58},
                                                     {"free_small", 59},
                                                     {"cfree", 60},
                                                     {"good_size", 61},
                                                     {"malloc_good_size", 62},
                                                     {"malloc_size", 63},
                                                     {"strdup", 64},
                                                     {"strndup", 65},
                                                     {"realpath", 66},
                                                     {"check_owned", 67},
                                                     {"is_in_heap_region", 68}};
  for (const auto& [name, code] : pinned) {
    ASSERT_NE(find_op(name), nullptr) << name;
    EXPECT_EQ(static_cast<int>(find_op(name)->code), code) << name;
  }
}

TEST(OpsDef, RowsSayWhatTheyTake) {
  EXPECT_EQ(info(OpCode::kCalloc).arg_count(), 2u);
  EXPECT_EQ(info(OpCode::kFork).arg_count(), 0u);
  EXPECT_EQ(info(OpCode::kRealloc).slot_arg(), 0u);
  EXPECT_EQ(info(OpCode::kMalloc).slot_arg(), std::nullopt);
}

TEST(SlotRange, NormalFormEndsWhereTheStepDoes) {
  SlotRange range{.first = 10, .last = 19, .step = 3};
  range.normalise();
  EXPECT_EQ(range, (SlotRange{.first = 10, .last = 19, .step = 3}));
  range = {.first = 10, .last = 18, .step = 3};
  range.normalise();
  EXPECT_EQ(range.last, 16u);
  EXPECT_EQ(slots_of(range), (std::vector<uint32_t>{10, 13, 16}));
  range = {.first = 10, .last = 12, .step = 5, .half_seed = 3};
  range.normalise();
  EXPECT_EQ(range, (SlotRange{.first = 10, .last = 10}));
  EXPECT_TRUE(range.single());
}

TEST(SlotRange, HalfIsExactFixedAndDependsOnItsSeed) {
  std::set<std::vector<uint32_t>> halves;
  for (uint64_t seed = 0; seed < 50; seed++) {
    const SlotRange range{.first = 5, .last = 24, .half_seed = seed};
    const std::vector<uint32_t> slots = slots_of(range);
    EXPECT_EQ(slots.size(), 10u);
    EXPECT_TRUE(std::ranges::is_sorted(slots));
    EXPECT_GE(slots.front(), 5u);
    EXPECT_LE(slots.back(), 24u);
    EXPECT_EQ(slots, slots_of(range));
    halves.insert(slots);
  }
  EXPECT_GE(halves.size(), 49u);
  const SlotRange odd{.first = 0, .last = 6, .half_seed = 1};
  EXPECT_EQ(odd.members(), 4u);
  EXPECT_EQ(slots_of(odd).size(), 4u);
}

TEST(SlotRange, EverySlotIsInAboutHalfOfTheHalves) {
  std::vector<int> taken(10);
  for (uint64_t seed = 0; seed < 2000; seed++) {
    for (const uint32_t slot : slots_of({.first = 0, .last = 9, .half_seed = seed})) taken[slot]++;
  }
  for (const int times : taken) EXPECT_NEAR(times, 1000, 120);
}

TEST(Value, DrawsFromItsIntervalAndCoversIt) {
  const Value value{24, 31, 7};
  std::set<uint64_t> drawn;
  for (uint64_t member = 0; member < 200; member++) {
    EXPECT_GE(value.at(member), 24u);
    EXPECT_LE(value.at(member), 31u);
    drawn.insert(value.at(member));
  }
  EXPECT_EQ(drawn.size(), 8u);
  EXPECT_EQ(Value::of(9).at(5), 9u);
  const Value all{0, ~uint64_t{0}, 1};
  EXPECT_NE(all.at(0), all.at(1));
}

// Programs in corpora rely on these numbers: they may never change.
TEST(Value, TheGeneratorIsFixed) {
  const Value value{24, 4096, 7};
  EXPECT_EQ(value.at(0), 2159u);
  EXPECT_EQ(value.at(1), 1254u);
  EXPECT_EQ(value.at(989), 3165u);
  EXPECT_EQ(slots_of({.first = 0, .last = 9, .half_seed = 7}), (std::vector<uint32_t>{1, 4, 5, 6, 9}));
}

TEST(ProgramSteps, UnrollsRangesAndPairsThem) {
  const Program program = parse_text(
      "assay 1\n"
      "p0..p3 = malloc(16)\n"
      "p10..p14 step 2 = realloc(p0..p2, 24..4096 seed 7) @t2\n"
      "free(NULL)\n",
      "x.ops");
  EXPECT_EQ(program.operations(), 8u);
  ProgramSteps steps(program);
  std::vector<Step> seen;
  for (Step step; steps.next(step);) seen.push_back(step);
  ASSERT_EQ(seen.size(), 8u);
  EXPECT_EQ(seen[3].line, 0u);
  EXPECT_EQ(seen[3].member, 3u);
  EXPECT_EQ(seen[3].result_slot, 3u);
  EXPECT_EQ(seen[3].slot, std::nullopt);
  EXPECT_EQ(seen[3].args[0], 16u);
  EXPECT_EQ(seen[6].line, 1u);
  EXPECT_EQ(seen[6].member, 2u);
  EXPECT_EQ(seen[6].result_slot, 14u);
  EXPECT_EQ(seen[6].slot, 2u);
  EXPECT_EQ(seen[6].thread, 2u);
  EXPECT_EQ(seen[6].args[1], (Value{24, 4096, 7}.at(2)));
  EXPECT_EQ(seen[7].code, OpCode::kFree);
  EXPECT_EQ(seen[7].slot, std::nullopt);
}

}  // namespace
}  // namespace assay
