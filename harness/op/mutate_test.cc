#include "harness/op/mutate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/generate.h"
#include "harness/op/live_slots.h"
#include "harness/op/op_byte.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

// Operations of `program` that will likely be skipped: what they take is empty, or what they fill is not.
uint64_t likely_skips(const Program& program) {
  uint64_t skips = 0;
  LiveSlots live;
  ProgramSteps steps(program);
  for (Step step; steps.next(step);) {
    const bool misses = step.slot && !live.is_live(static_cast<uint32_t>(*step.slot));
    const bool full =
        step.result_slot && step.result_slot != step.slot && live.is_live(static_cast<uint32_t>(*step.result_slot));
    if (misses || full) skips++;
    Operation one{.code = step.code};
    if (step.slot)
      one.slot = SlotRange{.first = static_cast<uint32_t>(*step.slot), .last = static_cast<uint32_t>(*step.slot)};
    if (step.result_slot) {
      one.result = SlotRange{.first = static_cast<uint32_t>(*step.result_slot),
                             .last = static_cast<uint32_t>(*step.result_slot)};
    }
    for (size_t i = 0; i < one.args.size(); i++) one.args[i] = Value::of(step.args[i]);
    live.apply(one);
  }
  return skips;
}

TEST(Generate, MakesAsManyOperationsAsAsked) {
  for (uint64_t seed = 0; seed < 300; seed++) {
    const size_t wanted = seed * 7 % 4097;
    const Program program = generate(seed, wanted);
    EXPECT_EQ(program.operations(), wanted);
    EXPECT_EQ(validate(program), std::nullopt);
    EXPECT_EQ(generate(seed, wanted), program);
    EXPECT_LE(likely_skips(program) * 20, wanted);
    EXPECT_EQ(decode(encode(program)), program);
  }
}

TEST(Generate, DrawsEveryOperationAndFewThreads) {
  std::set<OpCode> drawn;
  int threaded = 0, forking = 0, failing = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    const Program program = generate(seed, 100);
    const Features features = features_needed(program.lines);
    threaded += features.threads;
    forking += features.fork;
    failing += features.failures;
    for (const Operation& operation : program.lines) drawn.insert(operation.code);
  }
  const auto others = std::ranges::count_if(all_ops(), [](const OpInfo& row) { return !row.is_about_heaps(); });
  EXPECT_EQ(drawn.size(), static_cast<size_t>(others));
  EXPECT_NEAR(threaded, 2000 / 6, 100);
  EXPECT_NEAR(forking, 2000 / 64, 25);
  EXPECT_NEAR(failing, 2000 / 8, 60);
}

TEST(Mutate, KeepsProgramsWellFormedAndWithinTheLimit) {
  uint64_t operations = 0, skips = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Program program = generate(seed, seed % 50);
    const size_t limit = seed % 4 == 0 ? seed % 97 : 600;
    for (uint64_t round = 0; round < 20; round++) {
      const Program before = program;
      program = mutate(program, seed * 1000 + round, limit);
      ASSERT_EQ(validate(program), std::nullopt) << print_text(program);
      ASSERT_LE(encode(program).size(), limit);
      ASSERT_EQ(decode(encode(program)), program) << print_text(program);
      ASSERT_EQ(mutate(before, seed * 1000 + round, limit), program);
    }
    operations += program.operations();
    skips += likely_skips(program);
  }
  EXPECT_LE(skips * 10, operations) << skips << " of " << operations;
}

TEST(Mutate, ReachesTheFullCaps) {
  Program program = generate(5, kMaxOperations);
  for (uint64_t seed = 0; seed < 50; seed++) {
    program = mutate(program, seed, kMaxBytes);
    ASSERT_EQ(validate(program), std::nullopt);
    ASSERT_LE(program.operations(), kMaxOperations);
  }
}

TEST(Mutate, ChangesNearlyAlwaysAndInManyWays) {
  const Program program = generate(3, 30);
  std::set<std::string> made;
  for (uint64_t seed = 0; seed < 500; seed++) made.insert(print_text(mutate(program, seed, 4096)));
  EXPECT_GE(made.size(), 460u);
  EXPECT_FALSE(made.contains(print_text(program)));
  EXPECT_FALSE(mutate({}, 1, 4096).lines.empty() && mutate({}, 2, 4096).lines.empty() &&
               mutate({}, 3, 4096).lines.empty());
}

TEST(Mutate, SmallLimitsGiveSmallPrograms) {
  for (size_t limit = 0; limit < 20; limit++) EXPECT_LE(encode(mutate(generate(9, 20), limit, limit)).size(), limit);
}

TEST(Mutate, HeaderLinesStayWhenTheyFit) {
  Program program = generate(3, 30);
  program.header.subject = "libc";
  EXPECT_EQ(mutate(program, 1, 4096).header, program.header);
  EXPECT_EQ(mutate(program, 1, 5).header, Header{});
}

TEST(Crossover, TakesFromBoth) {
  const Program first = generate(1, 40), second = generate(2, 40);
  std::set<std::string> made;
  for (uint64_t seed = 0; seed < 200; seed++) {
    const Program program = crossover(first, second, seed, 400);
    ASSERT_EQ(validate(program), std::nullopt);
    ASSERT_LE(encode(program).size(), 400u);
    ASSERT_EQ(crossover(first, second, seed, 400), program);
    made.insert(print_text(program));
  }
  EXPECT_GE(made.size(), 190u);
  EXPECT_EQ(validate(crossover({}, {}, 1, 100)), std::nullopt);
}

TEST(Mutate, ProgramsAboutHeapsStayWellFormedAndGrowHeaps) {
  uint64_t about = 0, many = 0, lines = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Program program = generate(seed, 20);
    for (uint64_t round = 0; round < 4; round++) {
      program = mutate(program, seed * 7 + round, kMaxBytes, {.heaps = true});
      ASSERT_EQ(validate(program, kByteCaps), std::nullopt) << print_text(program);
      ASSERT_EQ(decode(encode(program)), program) << print_text(program);
      ASSERT_EQ(print_text(parse_text(print_text(program), "x.ops")), print_text(program));
    }
    for (const Operation& line : program.lines) about += info(line.code).is_about_heaps() ? 1 : 0;
    for (const Operation& line : program.lines) many += line.code == OpCode::kHeapNew && line.args[0].low >= 8 ? 1 : 0;
    lines += program.lines.size();
  }
  EXPECT_GT(about * 8, lines);
  EXPECT_GT(many, 0u);
  const Program plain = generate(3, 40);
  for (uint64_t seed = 0; seed < 200; seed++) {
    for (const Operation& line : mutate(plain, seed, kMaxBytes).lines) EXPECT_FALSE(info(line.code).is_about_heaps());
  }
}

}  // namespace
}  // namespace assay
