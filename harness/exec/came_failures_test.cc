#include "harness/exec/came_failures.h"

#include <gtest/gtest.h>

#include <memory>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

Program parsed(const std::string& lines) {
  return parse_text("assay 1\n" + lines, "came.ops");
}

class CameFailuresTest : public ::testing::Test {
 protected:
  std::string stripped(const std::string& lines, Mode mode = Mode::kSequential) {
    const Program program = parsed(lines);
    RunOptions options;
    options.came_failures = came_.get();
    result_ = run_in_mode(program, mode, *ximalloc_, options);
    return print_text(without_dead_failures(program, came_->all()));
  }

  std::unique_ptr<Subject> ximalloc_ = open_subject("ximalloc");
  std::unique_ptr<CameFailures> came_ = std::make_unique<CameFailures>();
  RunResult result_;
};

TEST_F(CameFailuresTest, WhatCameStaysAndWhatDidNotGoes) {
  if (ximalloc_->instruments().watch_os == nullptr) GTEST_SKIP() << "no seam";
  const std::string program = stripped(
      "p0 = malloc(100) (fail: munmap#1, mmap#1, mprotect#999)\n"
      "p1 = malloc(100) (fail: key_create#7+)\n"
      "p2 = malloc(9000000) (fail: mprotect#1+=EPERM)\n"
      "os_heal()\n"
      "fork() (fail: madvise#4000)\n"
      "end() (fail: munmap#60000)\n");
  EXPECT_TRUE(result_.misses_failure);
  EXPECT_EQ(program,
            "assay 1\n"
            "p0 = malloc(100) (fail: mmap#1)\n"
            "p1 = malloc(100)\n"
            "p2 = malloc(9000000) (fail: mprotect#1+=EPERM)\n"
            "os_heal()\n"
            "fork()\n"
            "end()\n");
  const uint64_t hash = result_.trace_hash;
  EXPECT_EQ(stripped(program.substr(program.find('\n') + 1)), program);
  EXPECT_FALSE(result_.misses_failure);
  EXPECT_EQ(result_.trace_hash, hash);
}

// The child makes the call, the parent has to know.
TEST_F(CameFailuresTest, WhatCameInAForkedChildHasCome) {
  if (ximalloc_->instruments().watch_os == nullptr) GTEST_SKIP() << "no seam";
  const std::string program = "p0 = malloc(100)\nfork() (fail: mprotect#1)\n";
  EXPECT_EQ(stripped(program), "assay 1\n" + program);
}

TEST_F(CameFailuresTest, UnderAScheduleToo) {
  if (ximalloc_->instruments().watch_os == nullptr) GTEST_SKIP() << "no seam";
  EXPECT_EQ(stripped("p0 = malloc(100) (fail: mmap#1)\n"
                     "p1 = malloc(100) @t1 (fail: mmap#77)\n"
                     "end() (fail: munmap#3000)\n",
                     Mode::kSchedule),
            "assay 1\np0 = malloc(100) (fail: mmap#1)\np1 = malloc(100) @t1\nend()\n");
}

// A mapping of its own goes back at the end.
TEST_F(CameFailuresTest, WhatEndSaysFailsInEveryMode) {
  if (ximalloc_->instruments().watch_os == nullptr) GTEST_SKIP() << "no seam";
  const std::string program = "p0 = aligned_alloc(67108864, 100) @t1\nend() (fail: munmap#1)\n";
  for (const Mode mode : {Mode::kSequential, Mode::kSchedule, Mode::kFree}) {
    EXPECT_EQ(stripped(program, mode), "assay 1\n" + program) << name(mode);
    EXPECT_EQ(result_.failed_os_calls, 1u) << name(mode);
    EXPECT_FALSE(result_.violation) << result_.violation.sentence;
  }
}

TEST_F(CameFailuresTest, ThreadsThatRunAtTheSameTimeAreRefusedToo) {
  if (ximalloc_->instruments().watch_os == nullptr) GTEST_SKIP() << "no seam";
  const std::string program =
      "p0..p9 = malloc(1..90000) @t1 (fail: mmap#1)\n"
      "p10..p19 = malloc(1..90000) @t2 (fail: mprotect#1+=EPERM)\n"
      "p20..p29 = malloc(1..90000)\n"
      "fork()\n"
      "os_heal()\n"
      "p30..p39 = malloc(1..90000) @t2\n";
  for (int i = 0; i < 20; ++i) {
    stripped(program, Mode::kFree);
    EXPECT_GT(result_.failed_os_calls, 0u);
    EXPECT_FALSE(result_.violation) << result_.violation.sentence;
  }
}

TEST(CameFailures, MoreThanThereIsRoomForIsLeftOut) {
  const auto came = std::make_unique<CameFailures>();
  for (uint64_t line = 0; line < CameFailures::kRoom + 10; ++line) came->note(line, 1);
  EXPECT_EQ(came->all().size(), CameFailures::kRoom);
  came->clear();
  EXPECT_TRUE(came->all().empty());
}

}  // namespace
}  // namespace assay
