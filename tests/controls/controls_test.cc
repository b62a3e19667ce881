// Every oracle has a positive control: a shared object that breaks one promise, and a short program that shows it. The
// oracle must object, at the right operation, and to nothing in the allocator that keeps its promises.
#include <gtest/gtest.h>

#include <string>

#include "harness/op/text.h"
#include "harness/report/child.h"
#include "harness/report/violation_report.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

struct Control {
  std::string library;
  Oracle oracle;
  uint64_t line;
  std::string program;
};

std::string library_path(const std::string& name) {
  return std::string(ASSAY_LIBRARY_DIR) + "/lib" + name + ".so";
}

RunResult run_text(const Subject& subject, const std::string& text, Strictness strictness,
                   uint64_t silence_ms = 10'000) {
  const Program program = parse_text("assay 1\n" + text, "control");
  ProgramSteps steps(program);
  RunOptions options;
  options.strictness = strictness;
  return run_in_child(steps, subject, options, {.silence_ms = silence_ms});
}

const std::vector<Control>& controls() {
  static const std::vector<Control> rows = {
      {"faulty_overlap", Oracle::kOverlap, 1, "p0 = malloc(650)\np1 = malloc(650)\nfree(p0)\n"},
      {"faulty_zero_alias", Oracle::kOverlap, 1, "p0 = malloc(0)\np1 = malloc(0)\n"},
      {"faulty_contents", Oracle::kContents, 1, "p0 = malloc(100)\np1 = malloc(650)\ncheck(p0)\n"},
      {"faulty_zeroing", Oracle::kZeroing, 2, "p0 = malloc(100)\nfree(p0)\np1 = calloc(10, 10)\n"},
      {"faulty_realloc_tail", Oracle::kContents, 2, "p0 = malloc(200)\np1 = malloc(80)\np0 = realloc(p0, 5000)\n"},
      {"faulty_alignment", Oracle::kAlignment, 1, "p0 = malloc(100)\np1 = malloc(650)\n"},
      {"faulty_usable_small", Oracle::kUsableSize, 0, "p0 = malloc(650)\n"},
      {"faulty_usable_changes", Oracle::kUsableSize, 1, "p0 = malloc(710)\nusable_size(p0)\n"},
      {"faulty_null", Oracle::kNullErrno, 1, "p0 = malloc(10)\np1 = malloc(650)\n"},
      {"faulty_errno", Oracle::kNullErrno, 0, "p0 = malloc(0xffffffffffffff00)\n"},
      {"faulty_big_succeeds", Oracle::kNullErrno, 0, "p0 = malloc(0x8000000000000001)\n"},
      {"faulty_free_errno", Oracle::kNullErrno, 1, "p0 = malloc(10)\nfree(p0)\n"},
      {"faulty_memalign_out", Oracle::kNullErrno, 0, "p0 = posix_memalign(3, 10)\n"},
      {"faulty_outside", Oracle::kOutside, 1, "p0 = malloc(10)\np1 = malloc(650)\n"},
      {"faulty_crash", Oracle::kCrash, 2, "p0 = malloc(10)\nfree(p0)\np1 = malloc(650)\n"},
      {"faulty_abort", Oracle::kAbort, 0, "p1 = malloc(650)\n"},
      {"faulty_exit", Oracle::kExit, 1, "p0 = malloc(10)\np1 = malloc(650) @t1\n"},
      {"faulty_hang", Oracle::kHang, 1, "p0 = malloc(10)\np1 = malloc(650)\n"},
      {"faulty_fork", Oracle::kFork, 1, "p0 = malloc(10)\nfork()\n"},
  };
  return rows;
}

class ControlTest : public testing::TestWithParam<Control> {};

TEST_P(ControlTest, IsCaughtByItsOracle) {
  const Control& control = GetParam();
  const auto subject = open_subject(library_path(control.library));
  for (const Strictness strictness : {Strictness::kStrict, Strictness::kSampled}) {
    const uint64_t silence_ms = control.oracle == Oracle::kHang ? 700 : 10'000;
    const RunResult result = run_text(*subject, control.program, strictness, silence_ms);
    // Sampled runs see lost contents when the block is checked, not at once.
    const bool later = strictness == Strictness::kSampled && control.library == "faulty_contents";
    EXPECT_EQ(name(result.violation.oracle), name(control.oracle)) << result.violation.sentence;
    EXPECT_EQ(result.violation.line, later ? control.line + 1 : control.line);
    EXPECT_NE(std::string(result.violation.sentence), "");
    EXPECT_NE(std::string(result.violation.expected), "");
    EXPECT_NE(std::string(result.violation.seen), "");
  }
}

// The same program on the same allocator without its fault.
TEST_P(ControlTest, IsCleanWithoutTheFault) {
  const auto subject = open_subject(library_path("toy_malloc"));
  for (const Strictness strictness : {Strictness::kStrict, Strictness::kSampled}) {
    const RunResult result = run_text(*subject, GetParam().program, strictness);
    EXPECT_FALSE(result.violation) << result.violation.sentence << ": " << result.violation.seen;
    EXPECT_EQ(result.skipped, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Controls, ControlTest, testing::ValuesIn(controls()),
                         [](const testing::TestParamInfo<Control>& row) { return row.param.library; });

// The block that is given out again is too small besides: what counts is that it is live.
TEST(Controls, OverlapComesBeforeSize) {
  const auto subject = open_subject(library_path("faulty_overlap"));
  const RunResult result = run_text(*subject, "p0 = malloc(10)\np1 = malloc(650)\n", Strictness::kStrict);
  EXPECT_EQ(result.violation.oracle, Oracle::kOverlap) << result.violation.sentence;
  EXPECT_EQ(result.violation.victim_slot, 0u);
}

TEST(Controls, ACrashNamesItsFrame) {
  const auto subject = open_subject(library_path("faulty_crash"));
  const RunResult result = run_text(*subject, "p1 = malloc(650)\n", Strictness::kStrict);
  EXPECT_EQ(dedup_token(result.violation), "crash-malloc-misbehave");
}

TEST(Controls, AnEarlierOwnerIsNamed) {
  const auto subject = open_subject(library_path("faulty_zeroing"));
  const RunResult result = run_text(*subject, "p7 = malloc(100)\nfree(p7)\np1 = calloc(10, 10)\n", Strictness::kStrict);
  EXPECT_EQ(result.violation.victim_slot, 7u);
  EXPECT_EQ(result.violation.victim_allocated_line, 0u);
  EXPECT_EQ(result.violation.victim_freed_line, 1u);
}

}  // namespace
}  // namespace assay
