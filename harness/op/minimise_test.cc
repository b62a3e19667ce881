#include "harness/op/minimise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "harness/op/minimise/candidates.h"
#include "harness/op/random.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

// A heap that is only believed in: which slots are full, of what size, allocated by whom; enough to say when a made-up
// bug would show.
struct Machine {
  struct Block {
    OpCode by;
    uint64_t size, alignment;
    uint32_t thread;
  };
  std::map<uint64_t, Block> live;
  uint64_t allocations = 0;

  // The block that this step makes, empty when it is skipped.
  std::optional<Block> apply(const Step& step) {
    const bool fills = step.code == OpCode::kMalloc || step.code == OpCode::kCalloc ||
                       step.code == OpCode::kAlignedAlloc || step.code == OpCode::kPosixMemalign;
    if (fills) {
      if (live.contains(*step.result_slot)) return std::nullopt;
      const uint64_t size = step.code == OpCode::kMalloc   ? step.args[0]
                            : step.code == OpCode::kCalloc ? step.args[0] * step.args[1]
                                                           : step.args[1];
      const uint64_t alignment = size == step.args[1] ? step.args[0] : 1;
      allocations++;
      return live[*step.result_slot] = Block{step.code, size, alignment, step.thread};
    }
    if (step.code == OpCode::kRealloc) {
      if (step.slot && !live.contains(*step.slot)) return std::nullopt;
      if (live.contains(*step.result_slot) && step.slot != step.result_slot) return std::nullopt;
      if (step.slot) live.erase(*step.slot);
      allocations++;
      return live[*step.result_slot] = Block{step.code, step.args[1], 1, step.thread};
    }
    if (step.code == OpCode::kFree && step.slot) live.erase(*step.slot);
    return std::nullopt;
  }
};

// A bug: told of each step before the machine applies it, and of the block that it made.
using Bug = std::function<bool(const Step&, const Machine& before, const std::optional<Machine::Block>& made)>;

std::optional<Step> first_failure(const Program& program, const Bug& bug) {
  Machine machine;
  ProgramSteps steps(program);
  for (Step step; steps.next(step);) {
    const Machine before = machine;
    const auto made = machine.apply(step);
    if (bug(step, before, made)) return step;
  }
  return std::nullopt;
}

Operation line_of(Random& random) {
  constexpr OpCode kFills[] = {OpCode::kMalloc, OpCode::kCalloc, OpCode::kAlignedAlloc, OpCode::kPosixMemalign};
  const auto slot = static_cast<uint32_t>(random.below(40));
  const Value size = Value::of(random.between(1, 20000));
  const auto thread = static_cast<uint32_t>(random.below(3));
  const SlotRange one{.first = slot, .last = slot};
  switch (random.below(5)) {
    case 0: {
      const OpCode code = kFills[random.below(4)];
      Operation line{.code = code, .thread = thread, .result = one, .args = {size, Value{}, Value{}}};
      if (code == OpCode::kCalloc) line.args = {Value::of(random.between(1, 9)), size, Value{}};
      if (code == OpCode::kAlignedAlloc || code == OpCode::kPosixMemalign) {
        line.args = {Value::of(uint64_t{8} << random.below(6)), size, Value{}};
      }
      return line;
    }
    case 1:
      return {.code = OpCode::kRealloc, .thread = thread, .result = one, .slot = one, .args = {Value{}, size, Value{}}};
    case 2: {
      const SlotRange range{.first = slot, .last = slot + 9};
      return {.thread = thread, .result = range, .args = {Value{16, 3000, random.below(9)}, Value{}, Value{}}};
    }
    case 3: return {.code = OpCode::kCheckAll, .thread = thread};
    default: return {.code = OpCode::kFree, .thread = thread, .slot = one};
  }
}

Program noise(uint64_t seed, size_t lines) {
  Random random(seed);
  Program program;
  for (size_t i = 0; i < lines; i++) program.lines.push_back(line_of(random));
  return program;
}

struct Outcome {
  Program program;
  uint64_t tries = 0;
};

// Minimises and checks what must hold of every result.
Outcome minimised(const Program& program, const Bug& bug) {
  const auto guilty = first_failure(program, bug);
  EXPECT_TRUE(guilty) << print_text(program);
  std::set<std::string> asked;
  MinimiseOptions options;
  options.guilty_line = guilty->line;
  const StillFails still_fails = [&](const Program& candidate) {
    EXPECT_EQ(validate(candidate, kTextCaps), std::nullopt);
    EXPECT_TRUE(asked.insert(print_text(candidate)).second) << "asked twice:\n" << print_text(candidate);
    return first_failure(candidate, bug).has_value();
  };
  const MinimiseResult result = minimise(program, still_fails, options);
  EXPECT_EQ(result.tries, asked.size());
  EXPECT_FALSE(result.stopped_early);
  EXPECT_TRUE(first_failure(result.program, bug));
  EXPECT_LE(result.program.operations(), program.operations());
  // A local minimum: every line is needed.
  for (size_t i = 0; i < result.program.lines.size(); i++) {
    Program shorter = result.program;
    shorter.lines.erase(shorter.lines.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(first_failure(shorter, bug)) << "line " << i << " of\n" << print_text(result.program);
  }
  return {result.program, result.tries};
}

std::string minimised_text(const Program& program, const Bug& bug) {
  return print_text(minimised(program, bug).program);
}

// The first program of noise in which the bug shows.
Program failing_noise(const Bug& bug, size_t lines = 300) {
  for (uint64_t seed = 1; seed < 2000; seed++) {
    Program program = noise(seed, lines);
    if (first_failure(program, bug)) return program;
  }
  ADD_FAILURE() << "the bug never shows";
  return {};
}

TEST(Minimise, OneCallIsLeftOfThreeHundred) {
  const Bug bug = [](const Step& step, const Machine&, const auto& made) {
    return made && step.code == OpCode::kMalloc && made->size > 5000;
  };
  EXPECT_EQ(minimised_text(failing_noise(bug), bug), "assay 1\np0 = malloc(5001)\n");
}

TEST(Minimise, ABoundaryThatIsNotRoundIsFoundExactly) {
  const Bug bug = [](const Step& step, const Machine&, const auto& made) {
    return made && step.code == OpCode::kCalloc && made->size > 12345 && made->size % 2 == 0;
  };
  EXPECT_EQ(minimised_text(failing_noise(bug), bug), "assay 1\np0 = calloc(1, 12346)\n");
  const Bug narrow = [](const Step& step, const Machine&, const auto& made) {
    return made && step.code == OpCode::kMalloc && made->size > 12345 && made->size < 13000;
  };
  EXPECT_EQ(minimised_text(failing_noise(narrow), narrow), "assay 1\np0 = malloc(12346)\n");
}

TEST(Minimise, AllocationReallocAndFreeOfOneBlock) {
  const Bug bug = [](const Step& step, const Machine& before, const auto&) {
    if (step.code != OpCode::kFree || !step.slot || !before.live.contains(*step.slot)) return false;
    return before.live.at(*step.slot).by == OpCode::kRealloc;
  };
  EXPECT_EQ(minimised_text(failing_noise(bug), bug), "assay 1\np0 = malloc(1)\np0 = realloc(p0, 1)\nfree(p0)\n");
}

TEST(Minimise, AFillAndItsFreeGoTogether) {
  // Needs an odd number of lines that name p7 twice over: neither line can go alone.
  const Bug bug = [](const Step& step, const Machine& before, const auto&) {
    return step.code == OpCode::kCheckAll && before.allocations % 2 == 1 && before.live.size() >= 2;
  };
  const Program result = minimised(failing_noise(bug), bug).program;
  EXPECT_LE(result.operations(), 6u) << print_text(result);
}

TEST(Minimise, AThreadStaysOnlyWhereItIsNeeded) {
  const Bug foreign_free = [](const Step& step, const Machine& before, const auto&) {
    if (step.code != OpCode::kFree || !before.live.contains(*step.slot)) return false;
    return before.live.at(*step.slot).thread != step.thread;
  };
  EXPECT_THAT(minimised_text(failing_noise(foreign_free), foreign_free),
              ::testing::AnyOf("assay 1\np0 = malloc(1)\nfree(p0) @t1\n", "assay 1\np0 = malloc(1) @t1\nfree(p0)\n"));
  const Bug third = [](const Step& step, const Machine&, const auto& made) { return made && step.thread == 2; };
  EXPECT_EQ(minimised_text(failing_noise(third), third), "assay 1\np0 = malloc(1) @t2\n");
}

TEST(Minimise, AMemberOfARangeIsAllThatIsNeeded) {
  const Program program = parse_text("assay 1\np10..p999 = malloc(24..4096 seed 7)\nfree(p10..p999 step 2)\n", "text");
  const uint64_t wanted = program.lines[0].args[0].at(600);
  const Bug bug = [wanted](const Step&, const Machine&, const auto& made) { return made && made->size == wanted; };
  EXPECT_EQ(minimised_text(program, bug), "assay 1\np0 = malloc(" + std::to_string(wanted) + ")\n");
}

TEST(Minimise, ASingleCallThatDrawsIsANumber) {
  const Program program = parse_text("assay 1\np0 = malloc(41..636 seed 201)\np1..p2 half 3 = malloc(7)\n", "text");
  const uint64_t size = program.lines[0].args[0].at(0);
  const Bug bug = [size](const Step&, const Machine&, const auto& made) { return made && made->size == size; };
  EXPECT_EQ(minimised_text(program, bug), "assay 1\np0 = malloc(" + std::to_string(size) + ")\n");
}

TEST(Minimise, VolumeThatIsNeededStaysOneLine) {
  const Program program =
      parse_text("assay 1\np0..p999 = malloc(24..4096 seed 7)\nfree(p0..p999 half 3)\np1000 = malloc(8)\n", "text");
  const Bug bug = [](const Step&, const Machine& before, const auto& made) {
    return made && before.live.size() == 299;
  };
  EXPECT_EQ(minimised_text(program, bug), "assay 1\np0..p299 = malloc(1)\n");
}

TEST(Minimise, ManySingleCallsThatAreNeededBecomeARange) {
  const Bug bug = [](const Step&, const Machine&, const auto& made) { return made && made->by == OpCode::kMalloc; };
  const Bug late = [bug](const Step& step, const Machine& before, const auto& made) {
    return bug(step, before, made) && before.allocations == 40;
  };
  EXPECT_EQ(minimised_text(failing_noise(late), late), "assay 1\np0..p40 = malloc(1)\n");
}

TEST(Minimise, HalfARangeIsWrittenOutWhereItsMembersMatter) {
  const Program program = parse_text("assay 1\np0..p99 = malloc(64)\nfree(p0..p99 half 5)\n", "text");
  SlotCursor half(*program.lines[1].slot);
  std::set<uint32_t> freed;
  while (!half.done()) freed.insert(half.next());
  const uint32_t wanted = *std::next(freed.begin(), 20);
  const Bug bug = [wanted](const Step& step, const Machine& before, const auto&) {
    return step.code == OpCode::kFree && *step.slot == wanted && before.live.contains(wanted);
  };
  // The bug knows its slot by name, so that it cannot be renamed.
  const std::string name = "p" + std::to_string(wanted);
  EXPECT_EQ(minimised_text(program, bug), "assay 1\n" + name + " = malloc(1)\nfree(" + name + ")\n");
}

TEST(Minimise, HeaderLinesStay) {
  Program program =
      parse_text("assay 1\nsubject: libc\nexpect: overlap-malloc--\np3 = malloc(77)\ncheck_all()\n", "text");
  const Bug bug = [](const Step& step, const Machine&, const auto&) { return step.code == OpCode::kCheckAll; };
  EXPECT_EQ(minimised_text(program, bug), "assay 1\nsubject: libc\nexpect: overlap-malloc--\ncheck_all()\n");
}

TEST(Minimise, StopsWithTheBestProgramSoFar) {
  const Bug bug = [](const Step& step, const Machine&, const auto&) { return step.code == OpCode::kCheckAll; };
  const Program program = noise(3, 300);
  MinimiseOptions options;
  uint64_t calls = 0;
  options.progress = [&](const MinimiseProgress& at) {
    EXPECT_EQ(at.tries, calls);
    return ++calls <= 3;
  };
  const auto result = minimise(program, [&](const Program& p) { return first_failure(p, bug).has_value(); }, options);
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.tries, 3u);
  EXPECT_TRUE(first_failure(result.program, bug));
}

TEST(Minimise, ProgramsBeyondTheByteFormAreMinimisedToo) {
  const Program program = parse_text(
      "assay 1\np0..p1999 = malloc(8..900 seed 4) @t7\np30000 = malloc(5000) @t9\nfree(p0..p1999)\n", "text");
  const Bug bug = [](const Step&, const Machine& before, const auto& made) {
    return made && made->size >= 5000 && before.live.size() >= 3;
  };
  const Program result = minimised(program, bug).program;
  EXPECT_EQ(result.operations(), 4u) << print_text(result);
  EXPECT_LE(result.lines.back().result->last, 3u);
}

TEST(Minimise, FewTriesForAFewHundredOperations) {
  const Bug bug = [](const Step& step, const Machine& before, const auto&) {
    if (step.code != OpCode::kFree || !before.live.contains(*step.slot)) return false;
    return before.live.at(*step.slot).by == OpCode::kRealloc && before.live.size() >= 3;
  };
  const Outcome outcome = minimised(failing_noise(bug), bug);
  EXPECT_LE(outcome.program.operations(), 6u);
  EXPECT_LE(outcome.tries, 400u);
}

// Every made-up bug, many programs: what minimised() checks holds for each.
TEST(Minimise, ResultsAreMinimaOverManyPrograms) {
  uint64_t minimisations = 0;
  for (uint64_t seed = 1; seed <= 150; seed++) {
    const Program program = noise(seed, 120);
    const uint64_t size = 100 * seed, live = seed % 5;
    const auto code = static_cast<OpCode>(seed % 6);
    const Bug bug = [=](const Step& step, const Machine& before, const auto& made) {
      if (step.code != code || before.live.size() < live) return false;
      return code == OpCode::kFree ? before.live.contains(*step.slot) : made && made->size >= size;
    };
    if (!first_failure(program, bug)) continue;
    minimisations++;
    EXPECT_LE(minimised(program, bug).program.operations(), live + 2);
  }
  EXPECT_GE(minimisations, 100u);
}

TEST(Minimise, FailuresGoOrBecomeSimple) {
  const Program program = parse_text(
      "assay 1\n"
      "p0 = malloc(900000) (fail: mmap#5+=EPERM, munmap#1, madvise#1=dirty)\n"
      "p1 = malloc(8) (fail: mmap#1)\n"
      "end() (fail: munmap#1)\n",
      "x.ops");
  // The second mmap or a later one of the line fails.
  const StillFails still_fails = [](const Program& candidate) {
    for (const Operation& line : candidate.lines) {
      for (const Failure& failure : line.fails) {
        if (failure.call == SystemCall::kMmap && failure.nth >= 2) return true;
      }
    }
    return false;
  };
  EXPECT_EQ(print_text(minimise(program, still_fails, {}).program), "assay 1\np0 = malloc(1) (fail: mmap#2)\n");
}

// What the plain function does not show stays, each other call becomes malloc, realloc or free.
TEST(Minimise, EveryFunctionBecomesAPlainOne) {
  for (const OpInfo& row : all_ops()) {
    if (row.result == ResultKind::kNone || row.code == OpCode::kRealpath || row.code == OpCode::kStrndup ||
        row.code == OpCode::kHeapRealpath) {
      continue;
    }
    Program program;
    program.lines.push_back({.result = single_slot(0), .args = {Value::of(40)}});
    Operation line{.code = row.code};
    for (size_t i = 0; i < row.args.size(); i++) line.args[i] = Value::of(row.args[i] == ArgKind::kNothing ? 0 : 16);
    if (row.result == ResultKind::kFills) line.result = single_slot(1);
    if (row.result == ResultKind::kMoves) line.result = line.slot = single_slot(0);
    if (row.result == ResultKind::kEmpties) line.slot = single_slot(0);
    for (Value& value : line.args) {
      const auto at = static_cast<size_t>(&value - line.args.data());
      if (row.args[at] == ArgKind::kSlot) value = {};
    }
    program.lines.push_back(line);
    ASSERT_FALSE(validate(program, kTextCaps)) << row.name;
    const StillFails two_calls = [](const Program& candidate) { return candidate.lines.size() == 2; };
    const Program plain = minimise(program, two_calls, {}).program;
    const OpCode left = plain.lines.back().code;
    EXPECT_TRUE(left == OpCode::kMalloc || left == OpCode::kFree || left == OpCode::kRealloc)
        << row.name << print_text(plain);
    // Nothing plainer shows it: it stays, and the search ends.
    const StillFails itself = [&](const Program& candidate) {
      return candidate.lines.size() == 2 && candidate.lines.back().code == row.code;
    };
    EXPECT_EQ(minimise(program, itself, {}).program.lines.back().code, row.code);
  }
}

// realloc is plainer than all others of its kind; each of them ends somewhere.
TEST(Minimise, FunctionsDoNotAlternate) {
  const Program program = parse_text("assay 1\np0 = malloc(40)\np0 = recalloc_aligned(p0, 2, 32, 64)\n", "text");
  const StillFails moves = [](const Program& candidate) {
    return candidate.lines.size() == 2 && info(candidate.lines.back().code).result == ResultKind::kMoves;
  };
  EXPECT_EQ(minimise(program, moves, {}).program.lines.back().code, OpCode::kRealloc);
  const StillFails aligned = [&](const Program& candidate) {
    return moves(candidate) && candidate.lines.back().code != OpCode::kRealloc;
  };
  EXPECT_EQ(minimise(program, aligned, {}).program.lines.back().code, OpCode::kReallocarray);
}

}  // namespace
}  // namespace assay
