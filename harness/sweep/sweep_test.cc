#include "harness/sweep/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

Program text(const std::string& lines) {
  return parse_text("assay 1\n" + lines, "x.ops");
}

// An allocator that makes two calls in op 0 and one at the end, and gives NULL when the second fails.
RunResult pretend(const Program& program, OsCallLog* log, CameFailures* came) {
  RunResult result;
  came->clear();
  if (log != nullptr) {
    const OsCallLog::Entry made[] = {{0, 1, SystemCall::kMmap, {"a.cc", "first", 7}},
                                     {0, 2, SystemCall::kMmap, {"a.cc", "second", 8}}};
    std::ranges::copy(made, log->entries);
    log->entries[2] = {kNoOperation, 1, SystemCall::kMunmap, {"a.cc", "last", 9}};
    log->entries[3] = {program.lines.size() - 2, 1, SystemCall::kMprotect, {"a.cc", "after", 10}};
    log->count = 4;
  }
  for (size_t line = 0; line < program.lines.size(); ++line) {
    const std::vector<Failure>& fails = program.lines[line].fails;
    for (uint32_t i = 0; i < fails.size(); ++i) {
      if (fails[i].call == SystemCall::kMmap && fails[i].nth == 2) result.null_by_failure = 1;
      if (fails[i].nth > (fails[i].call == SystemCall::kMmap ? 2 : 1)) {
        result.misses_failure = true;
      } else {
        came->note(program.lines[line].code == OpCode::kEnd ? kNoOperation : line, i);
      }
    }
  }
  return result;
}

TEST(Sweep, FailsEachCallOfTheProgramOnce) {
  for (const SweepHow how : {SweepHow::kOnce, SweepHow::kPersistent}) {
    const SweepResult result = sweep(text("p0 = malloc(1)\nfree(p0)\n"), how, pretend);
    EXPECT_EQ(result.all.points, 3u);
    EXPECT_EQ(result.all.fired, 3u);
    EXPECT_EQ(result.all.null_enomem, 1u);
    EXPECT_EQ(result.all.unaffected, 2u);
    EXPECT_TRUE(result.finds.empty());
  }
}

TEST(Sweep, CountsByThePlaceThatMakesTheCall) {
  std::vector<SweptSite> sites;
  for (int i = 0; i < 2; ++i) {
    for (const SweptSite& site : sweep(text("p0 = malloc(1)\n"), SweepHow::kOnce, pretend).sites) {
      add_to_site(sites, site);
    }
  }
  ASSERT_EQ(sites.size(), 3u);
  EXPECT_STREQ(sites[1].site.function, "second");
  EXPECT_EQ(sites[1].counts.points, 2u);
  EXPECT_EQ(sites[1].counts.fired, 2u);
  EXPECT_EQ(sites[1].counts.null_enomem, 2u);
  EXPECT_EQ(sites[2].call, SystemCall::kMunmap);
  EXPECT_EQ(sites[2].counts.unaffected, 2u);
}

TEST(Sweep, ThereIsRoomBesideAllFailuresThatBytesCanHave) {
  const std::string eight = "madvise#1, madvise#2, madvise#3, madvise#4, madvise#5, madvise#6, madvise#7, madvise#8";
  const SweepResult result = sweep(text("p0 = malloc(1) (fail: " + eight + ")\n"), SweepHow::kOnce, pretend);
  EXPECT_EQ(result.all.points, 3u);
  EXPECT_EQ(result.all.fired, 3u);
  const std::string sixteen =
      eight + ", mremap#1, mremap#2, mremap#3, mremap#4, mremap#5, mremap#6, mremap#7, mremap#8";
  EXPECT_THROW(sweep(text("p0 = malloc(1) (fail: " + sixteen + ")\n"), SweepHow::kOnce, pretend), InputError);
}

// A point that fires counts, also when it keeps a failure of the program itself from coming.
TEST(Sweep, FailuresOfTheProgramItselfMayStayAway) {
  const SweepResult result = sweep(text("p0 = malloc(1) (fail: munmap#9)\n"), SweepHow::kOnce, pretend);
  EXPECT_EQ(result.all.points, 3u);
  EXPECT_EQ(result.all.fired, 3u);
}

TEST(Sweep, AFindIsAProgramThatSaysWhatFailed) {
  const RunForSweep run = [](const Program& program, OsCallLog* log, CameFailures* came) {
    RunResult result = pretend(program, log, came);
    if (result.null_by_failure > 0 || (!program.lines.empty() && !program.lines.back().fails.empty())) {
      result.violation.oracle = Oracle::kContents;
    }
    return result;
  };
  const SweepResult result = sweep(text("p0 = malloc(1)\n"), SweepHow::kPersistent, run);
  ASSERT_EQ(result.finds.size(), 2u);
  EXPECT_EQ(print_line(result.finds[0].program.lines[0]), "p0 = malloc(1) (fail: mmap#2+)");
  EXPECT_EQ(print_line(result.finds[1].program.lines.back()), "end() (fail: munmap#1+)");
  EXPECT_EQ(validate(result.finds[1].program, kTextCaps), std::nullopt);
}

// Else no replay would take the text that is kept of it.
TEST(Sweep, AFindHasNoFailureThatDidNotCome) {
  const RunForSweep run = [](const Program& program, OsCallLog* log, CameFailures* came) {
    RunResult result = pretend(program, log, came);
    if (result.null_by_failure > 0) result.violation.oracle = Oracle::kContents;
    return result;
  };
  const SweepResult result = sweep(text("p0 = malloc(1) (fail: munmap#9)\n"), SweepHow::kOnce, run);
  ASSERT_EQ(result.finds.size(), 1u);
  EXPECT_EQ(print_line(result.finds[0].program.lines[0]), "p0 = malloc(1) (fail: mmap#2)");
}

TEST(Sweep, ACallBeyondTheLastIsNoProof) {
  const RunForSweep run = [](const Program& program, OsCallLog* log, CameFailures* came) {
    const RunResult result = pretend(program, log, came);
    if (result.misses_failure) came->note(0, 0), came->note(kNoOperation, 0);
    return result;
  };
  EXPECT_THROW(sweep(text("p0 = malloc(1)\n"), SweepHow::kOnce, run), std::runtime_error);
}

TEST(Sweep, AProgramThatFailsByItselfIsItsOwnFind) {
  const RunForSweep run = [](const Program&, OsCallLog*, CameFailures*) {
    RunResult result;
    result.violation.oracle = Oracle::kOverlap;
    return result;
  };
  const SweepResult result = sweep(text("p0 = malloc(1)\n"), SweepHow::kOnce, run);
  EXPECT_EQ(result.all.points, 0u);
  EXPECT_EQ(result.finds.size(), 1u);
}

TEST(Sweep, TheAftermathIsAHundredOperationsBeforeTheEnd) {
  const Program program = text("p0 = malloc(1)\nfree(p7)\nend() (fail: munmap#1)\n");
  const Program longer = with_aftermath(program);
  EXPECT_EQ(validate(longer, kTextCaps), std::nullopt);
  EXPECT_EQ(longer.lines.back(), program.lines.back());
  EXPECT_EQ(longer.lines[2].code, OpCode::kOsHeal);
  EXPECT_GE(longer.operations() - program.operations(), 101u);
  EXPECT_EQ(longer.lines[3].result->first, 8u);
}

}  // namespace
}  // namespace assay
