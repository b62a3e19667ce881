#include "failpoints/plan.h"

#include <gtest/gtest.h>

#include <cstring>

#include "failpoints/armed_plan.h"

namespace assay {
namespace {

Failure parsed(std::string_view text) {
  Failure failure;
  std::string error;
  size_t at = 0;
  EXPECT_TRUE(parse_failure(text, failure, error, at)) << text << ": " << error;
  return failure;
}

std::string refused(std::string_view text) {
  Failure failure;
  std::string error;
  size_t at = 0;
  if (parse_failure(text, failure, error, at)) return "accepted";
  return std::to_string(at) + ": " + error;
}

TEST(Plan, PrintsWhatItParses) {
  for (const char* text : {"mmap#1", "munmap#65535", "mprotect#2+", "madvise#3=EINVAL", "process_madvise#1+=EPERM",
                           "mremap#7=EAGAIN", "getrandom#1=ENOSYS", "key_create#1=EAGAIN", "thread_create#4", "brk#1+",
                           "mmap#1=unaligned", "mmap#2+=high", "madvise#1=dirty"}) {
    EXPECT_EQ(print_failure(parsed(text)), text);
  }
  EXPECT_EQ(print_failure(parsed("mmap#1=ENOMEM")), "mmap#1");
}

TEST(Plan, KnowsEveryErrnoByName) {
  int known = 0;
  for (int number = 1; number < 200; ++number) {
    const char* name = strerrorname_np(number);
    if (name == nullptr) continue;
    EXPECT_EQ(parsed(std::string("mmap#1=") + name).error, number);
    ++known;
  }
  EXPECT_GT(known, 100);
  EXPECT_EQ(parsed("mmap#1=EWOULDBLOCK").error, EAGAIN);
  EXPECT_EQ(parsed("mmap#1=EOPNOTSUPP").error, parsed("mmap#1=ENOTSUP").error);
}

TEST(Plan, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(refused("mmmap#1"),
            "0: unknown call 'mmmap'; known: mmap, munmap, mprotect, madvise, process_madvise, mremap, getrandom, "
            "key_create, thread_create, brk");
  EXPECT_EQ(refused("mmap"), "4: expected '#' and the number of the call");
  EXPECT_EQ(refused("mmap#"), "5: expected the number of the call, from 1 on");
  EXPECT_EQ(refused("mmap#0"), "5: the number of a call is 1 to 65535");
  EXPECT_EQ(refused("mmap#65536"), "5: the number of a call is 1 to 65535");
  EXPECT_EQ(refused("mmap#1-"), "6: expected '+', '=' or the end of the failure");
  EXPECT_EQ(refused("mmap#1=ENOWHERE"),
            "7: unknown errno name 'ENOWHERE'; expected one of errno.h, 'unaligned', 'high' or 'dirty'");
  EXPECT_EQ(refused("munmap#1=high"), "9: 'high' is for mmap");
  EXPECT_EQ(refused("mprotect#1=unaligned"), "11: 'unaligned' is for mmap");
  EXPECT_EQ(refused("mmap#1=dirty"), "7: 'dirty' is for madvise");
}

TEST(ArmedLine, FailsTheCallThatIsMeantAndNoOther) {
  StandingFailures standing;
  ArmedLine line;
  const Failure failures[] = {parsed("mmap#2=EPERM"), parsed("madvise#1")};
  line.arm(failures);
  EXPECT_EQ(line.ask(SystemCall::kMmap, standing), nullptr);
  EXPECT_EQ(line.ask(SystemCall::kMprotect, standing), nullptr);
  ASSERT_TRUE(line.never_came());
  EXPECT_EQ(*line.never_came(), failures[0]);
  const Failure* const answer = line.ask(SystemCall::kMmap, standing);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->error, EPERM);
  EXPECT_EQ(line.ask(SystemCall::kMmap, standing), nullptr);
  EXPECT_EQ(*line.never_came(), failures[1]);
  EXPECT_EQ(line.came(), 1u);
  EXPECT_FALSE(standing.any());
  EXPECT_EQ(line.calls(SystemCall::kMmap), 3u);
  line.add_came(2);
  EXPECT_FALSE(line.never_came());
}

TEST(ArmedLine, WhatNeverCameLapsesWithItsLine) {
  StandingFailures standing;
  ArmedLine line;
  const Failure failures[] = {parsed("mmap#2+")};
  line.arm(failures);
  EXPECT_EQ(line.ask(SystemCall::kMmap, standing), nullptr);
  line.arm({});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(line.ask(SystemCall::kMmap, standing), nullptr);
  EXPECT_FALSE(line.never_came());
}

TEST(ArmedLine, WhatPersistsIsForAllLinesUntilOsHeal) {
  StandingFailures standing;
  ArmedLine line, of_another_thread;
  const Failure failures[] = {parsed("munmap#2+=EAGAIN")};
  line.arm(failures);
  EXPECT_EQ(line.ask(SystemCall::kMunmap, standing), nullptr);
  EXPECT_NE(line.ask(SystemCall::kMunmap, standing), nullptr);
  line.arm({});
  EXPECT_TRUE(standing.any());
  for (int i = 0; i < 4; ++i) {
    ASSERT_NE(line.ask(SystemCall::kMunmap, standing), nullptr);
    EXPECT_EQ(line.ask(SystemCall::kMmap, standing), nullptr);
    EXPECT_EQ(of_another_thread.ask(SystemCall::kMunmap, standing)->error, EAGAIN);
  }
  standing.heal();
  EXPECT_EQ(line.ask(SystemCall::kMunmap, standing), nullptr);
  EXPECT_FALSE(standing.any());
}

}  // namespace
}  // namespace assay
