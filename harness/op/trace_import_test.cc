#include "harness/op/trace_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "harness/op/encode.h"
#include "harness/op/fold_ranges.h"
#include "harness/op/program_features.h"
#include "harness/op/text.h"
#include "harness/op/trace_window.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A history made by hand, in the text form.
class History final : public StepSource {
 public:
  explicit History(std::string_view text) : program_(parse_text("assay 1\n" + std::string(text), "history")) {}
  bool next(Step& step) override { return steps_.next(step); }

 private:
  Program program_;
  ProgramSteps steps_{program_};
};

std::string body(const Program& program) {
  const std::string text = print_text(program);
  return text.substr(text.find('\n') + 1);
}

std::vector<std::string> cut(std::string_view text, size_t operations) {
  History history(text);
  WindowCutter cutter(history, operations);
  std::vector<std::string> windows;
  while (const auto window = cutter.next()) windows.push_back(body(*window));
  return windows;
}

TEST(WindowCutter, BlocksFromBeforeAreAllocatedOnlyWhereTheyAreUsed) {
  EXPECT_THAT(cut("p0 = malloc(24)\n"
                  "p1 = calloc(3, 8)\n"
                  "p2 = aligned_alloc(64, 100)\n"
                  "p3 = malloc(7)\n"
                  "free(p1)\n"
                  "p0 = realloc(p0, 50)\n"
                  "usable_size(p2)\n"
                  "free(p0)\n",
                  4),
              ElementsAre("p0 = malloc(24)\np1 = calloc(3, 8)\np2 = aligned_alloc(64, 100)\np3 = malloc(7)\n",
                          "p0 = malloc(24)\np1 = calloc(3, 8)\np2 = aligned_alloc(64, 100)\n"
                          "free(p1)\np0 = realloc(p0, 50)\nusable_size(p2)\nfree(p0)\n"));
}

TEST(WindowCutter, AResizedBlockIsBornWithItsNewSize) {
  EXPECT_THAT(cut("p0 = calloc(1, 24)\np0 = realloc(p0, 9000)\nfree(p0)\n", 2),
              ElementsAre("p0 = calloc(1, 24)\np0 = realloc(p0, 9000)\n", "p0 = malloc(9000)\nfree(p0)\n"));
}

TEST(WindowCutter, ThreadsAreFoldedIntoFour) {
  EXPECT_THAT(cut("p0 = malloc(1) @t9\np1 = malloc(2)\np2 = malloc(3) @t500\np3 = malloc(4) @t7\np4 = malloc(5) @t8\n"
                  "thread_exit() @t9\n",
                  100),
              ElementsAre("p0 = malloc(1) @t1\np1 = malloc(2)\np2 = malloc(3) @t2\np3 = malloc(4) @t3\n"
                          "p4 = malloc(5) @t1\nthread_exit() @t1\n"));
}

TEST(WindowCutter, ASlotOfTheHistoryThatComesAgainIsAnotherBlock) {
  EXPECT_THAT(
      cut("p0 = malloc(1)\nfree(p0)\np0 = calloc(1, 2)\nfree(p0)\nfree(NULL)\np0 = realloc(NULL, 3)\n", 100),
      ElementsAre("p0 = malloc(1)\nfree(p0)\np1 = calloc(1, 2)\nfree(p1)\nfree(NULL)\np2 = realloc(NULL, 3)\n"));
}

TEST(FoldRanges, RunsOfEqualCallsBecomeOneLineAndTheSameCalls) {
  const auto folded = [](std::string_view text) {
    Program program = parse_text("assay 1\n" + std::string(text), "lines");
    fold_ranges(program);
    return body(program);
  };
  EXPECT_EQ(folded("p0 = malloc(8)\np1 = malloc(8)\np2 = malloc(8)\np3 = malloc(9)\n"),
            "p0..p2 = malloc(8)\np3 = malloc(9)\n");
  EXPECT_EQ(folded("p0 = malloc(8)\np1 = malloc(8)\n"), "p0 = malloc(8)\np1 = malloc(8)\n");
  EXPECT_EQ(folded("free(p1)\nfree(p3)\nfree(p5)\nfree(p6)\n"), "free(p1..p5 step 2)\nfree(p6)\n");
  EXPECT_EQ(folded("free(p3)\nfree(p2)\nfree(p1)\n"), "free(p3)\nfree(p2)\nfree(p1)\n");
  EXPECT_EQ(folded("p0 = realloc(p0, 9)\np1 = realloc(p1, 9)\np2 = realloc(p2, 9)\n"), "p0..p2 = realloc(p0..p2, 9)\n");
  EXPECT_EQ(folded("free(NULL)\nfree(NULL)\nfree(NULL)\n"), "free(NULL)\nfree(NULL)\nfree(NULL)\n");
  EXPECT_EQ(folded("p0 = malloc(8)\np1 = malloc(8) @t1\np2 = malloc(8)\np3 = malloc(8)\n"),
            "p0 = malloc(8)\np1 = malloc(8) @t1\np2 = malloc(8)\np3 = malloc(8)\n");
}

// The calls of random histories, window by window, are those of the history: replayed with names for blocks.
TEST(WindowCutter, WindowsOfRandomHistoriesSayWhatTheHistorySaid) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Program history;
    std::vector<bool> live(40);
    for (int i = 0; i < 2000; ++i) {
      Operation line;
      const auto slot = static_cast<uint32_t>(random() % live.size());
      const SlotRange place{slot, slot, 1, std::nullopt};
      line.thread = random() % 8 == 0 ? static_cast<uint32_t>(random() % 12) : 0;
      if (!live[slot]) {
        line.code = OpCode::kMalloc;
        line.result = place;
        line.args[0] = Value{random() % 4, 0, 0};
        line.args[0].high = line.args[0].low;
      } else if (random() % 3 == 0) {
        line.code = OpCode::kRealloc;
        line.slot = line.result = place;
        line.args[1] = Value{77, 77, 0};
      } else {
        line.code = OpCode::kFree;
        line.slot = place;
      }
      live[slot] = line.code != OpCode::kFree;
      history.lines.push_back(line);
    }
    ProgramSteps to_cut(history);
    WindowCutter cutter(to_cut, 1 + seed % 300);
    ProgramSteps reference(history);
    uint64_t taken = 0;
    while (auto window = cutter.next()) {
      ASSERT_EQ(validate(*window), std::nullopt) << seed;
      ASSERT_NO_THROW(encode(*window));
      const uint64_t wanted = std::min<uint64_t>(1 + seed % 300, 2000 - taken);
      ASSERT_GE(window->operations(), wanted);
      // Slots of the window stand for slots of the history, one to one as long as a block lives.
      ProgramSteps steps(*window);
      Step step;
      std::set<uint64_t> window_live;
      for (uint64_t old = window->operations() - wanted; old > 0; --old) {
        ASSERT_TRUE(steps.next(step));
        ASSERT_TRUE(window_live.insert(*step.result_slot).second);
      }
      std::map<uint64_t, uint64_t> block_of;
      Step expected;
      for (uint64_t i = 0; i < wanted; ++i) {
        ASSERT_TRUE(steps.next(step) && reference.next(expected));
        ASSERT_EQ(step.code, expected.code);
        ASSERT_EQ(step.args, expected.args);
        ASSERT_EQ(step.thread == 0, expected.thread == 0);
        if (expected.slot) {
          const auto [known, first] = block_of.try_emplace(*expected.slot, *step.slot);
          ASSERT_EQ(known->second, *step.slot);
          ASSERT_EQ(window_live.count(*step.slot), 1u);
        }
        if (step.code == OpCode::kFree) {
          window_live.erase(*step.slot);
          block_of.erase(*expected.slot);
        } else if (step.code == OpCode::kMalloc) {
          ASSERT_TRUE(window_live.insert(*step.result_slot).second);
          block_of[*expected.result_slot] = *step.result_slot;
        }
      }
      ASSERT_FALSE(steps.next(step));
      taken += wanted;
    }
    EXPECT_EQ(taken, 2000u);
  }
}

TEST(WindowCutter, TheLargestWindowFitsIntoTheByteForm) {
  std::string text;
  for (size_t i = 0; i < kMaxWindow; ++i) {
    text += "p" + std::to_string(i) + " = aligned_alloc(1073741824, " + std::to_string(~uint64_t{0} - i) + ")\n";
  }
  for (size_t i = 0; i < kMaxWindow; ++i) {
    const std::string slot = "p" + std::to_string(i);
    text += slot + " = realloc(" + slot + ", " + std::to_string(~uint64_t{0} - 7 * i) + ")\n";
  }
  History history(text);
  WindowCutter cutter(history, kMaxWindow);
  while (const auto window = cutter.next()) {
    EXPECT_EQ(validate(*window), std::nullopt);
    EXPECT_NO_THROW(encode(*window));
  }
}

TEST(DiverseSubset, TakesWhatIsNewFirstAndTheRestByNeed) {
  const std::vector<std::vector<uint32_t>> sets = {{1, 2}, {1, 2, 3}, {4}, {1, 2, 3}, {}};
  EXPECT_THAT(diverse_subset(sets, 2), ElementsAre(1, 2));
  EXPECT_THAT(diverse_subset(sets, 10), ElementsAre(1, 2, 3, 0, 4));
  EXPECT_THAT(diverse_subset({}, 3), IsEmpty());
}

TEST(Features, TellApartSizesThreadsAndAges) {
  const auto of = [](std::string_view text) { return features(parse_text("assay 1\n" + std::string(text), "f")); };
  EXPECT_EQ(of("p0 = malloc(100)\nfree(p0)\n"), of("p5 = malloc(100)\nfree(p5)\n"));
  EXPECT_NE(of("p0 = malloc(100)\nfree(p0)\n"), of("p0 = malloc(1000)\nfree(p0)\n"));
  EXPECT_NE(of("p0 = malloc(100)\nfree(p0)\n"), of("p0 = malloc(100)\nfree(p0) @t1\n"));
  EXPECT_NE(of("p0 = malloc(100)\nfree(p0)\n"), of("p0 = calloc(1, 100)\nfree(p0)\n"));
  EXPECT_NE(of("p0 = malloc(100)\np0 = realloc(p0, 200)\n"), of("p0 = malloc(100)\np0 = realloc(p0, 50)\n"));
}

}  // namespace
}  // namespace assay
