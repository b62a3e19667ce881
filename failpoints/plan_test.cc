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
                           "mremap#7=EAGAIN", "getrandom#1=ENOSYS", "key_create#1=EAGAIN", "thread_create#4",
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
            "key_create, thread_create");
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

TEST(ArmedPlan, FailsTheCallThatIsMeantAndNoOther) {
  ArmedPlan plan;
  const Failure failures[] = {parsed("mmap#2=EPERM"), parsed("madvise#1")};
  plan.arm(failures);
  EXPECT_EQ(plan.ask(SystemCall::kMmap), nullptr);
  EXPECT_EQ(plan.ask(SystemCall::kMprotect), nullptr);
  ASSERT_TRUE(plan.never_came());
  EXPECT_EQ(*plan.never_came(), failures[0]);
  const Failure* const answer = plan.ask(SystemCall::kMmap);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->error, EPERM);
  EXPECT_EQ(plan.ask(SystemCall::kMmap), nullptr);
  EXPECT_EQ(*plan.never_came(), failures[1]);
  EXPECT_FALSE(plan.persists());
  EXPECT_EQ(plan.fired(), 1u);
  EXPECT_EQ(plan.calls(SystemCall::kMmap), 3u);
}

TEST(ArmedPlan, WhatNeverCameLapsesWithItsLine) {
  ArmedPlan plan;
  const Failure failures[] = {parsed("mmap#2+")};
  plan.arm(failures);
  EXPECT_EQ(plan.ask(SystemCall::kMmap), nullptr);
  plan.arm({});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(plan.ask(SystemCall::kMmap), nullptr);
  EXPECT_FALSE(plan.never_came());
}

TEST(ArmedPlan, WhatPersistsEndsWithOsHeal) {
  ArmedPlan plan;
  const Failure failures[] = {parsed("munmap#2+=EAGAIN")};
  plan.arm(failures);
  EXPECT_EQ(plan.ask(SystemCall::kMunmap), nullptr);
  EXPECT_NE(plan.ask(SystemCall::kMunmap), nullptr);
  plan.arm({});
  EXPECT_TRUE(plan.persists());
  for (int i = 0; i < 4; ++i) {
    ASSERT_NE(plan.ask(SystemCall::kMunmap), nullptr);
    EXPECT_EQ(plan.ask(SystemCall::kMmap), nullptr);
  }
  EXPECT_EQ(plan.fired(), 5u);
  plan.heal();
  EXPECT_EQ(plan.ask(SystemCall::kMunmap), nullptr);
  EXPECT_FALSE(plan.persists());
}

}  // namespace
}  // namespace assay
