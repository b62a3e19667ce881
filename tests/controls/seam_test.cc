// Positive controls of the oracle at the seam and of what a failure permits: a wrapper around ximalloc that makes
// system calls which the allocator would never make, or answers NULL when it should not.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

OsWatcher* watcher = nullptr;
uintptr_t first_block = 0;
OsCall bad_call;
bool calls_at_free = false;
int null_error = 0;  // what malloc(77) fails with; 0: it succeeds

const Subject& ximalloc() {
  static const auto subject = open_subject("ximalloc");
  return *subject;
}

void make_bad_call() {
  if (watcher == nullptr || first_block == 0 || bad_call.size == 0) return;
  OsCall call = bad_call;
  call.address = first_block & ~uintptr_t{0xffff};
  watcher->before(call);
}

class SeamSubject final : public Subject {
 public:
  SeamSubject() {
    api_ = ximalloc().api();
    instruments_ = ximalloc().instruments();
    promises_ = ximalloc().promises();
    name_ = "wrapper";
    instruments_.watch_os = [](OsWatcher* who) {
      watcher = who;
      return ximalloc().instruments().watch_os(who);
    };
    api_.malloc = [](size_t size) -> void* {
      if (size == 77 && null_error != 0) {
        if (watcher != nullptr) watcher->before({.call = SystemCall::kMmap, .size = 4096});
        errno = null_error;
        return nullptr;
      }
      if (!calls_at_free) make_bad_call();
      void* const block = ximalloc().api().malloc(size);
      // Not in the warm-up, which nobody watches.
      if (watcher != nullptr && first_block == 0) first_block = reinterpret_cast<uintptr_t>(block);
      return block;
    };
    api_.free = [](void* block) {
      if (calls_at_free) make_bad_call();
      ximalloc().api().free(block);
    };
  }
  bool owns_code(const void* pc) const override { return ximalloc().owns_code(pc); }
};

class SeamControl : public testing::Test {
 protected:
  void SetUp() override {
    first_block = 0;
    bad_call = {};
    calls_at_free = false;
    null_error = 0;
  }
  static RunResult run(const std::string& text, Mode mode = Mode::kSequential) {
    // Threads that a violation leaves behind in mode free go on referring to it.
    static const SeamSubject subject;
    return run_in_mode(parse_text("assay 1\n" + text, "control"), mode, subject, {});
  }
  static std::string oracle_of(const RunResult& result) { return std::string(name(result.violation.oracle)); }
};

constexpr const char* kTwo = "p0 = malloc(100)\np1 = malloc(100)\n";

TEST_F(SeamControl, TheWrapperAloneIsClean) {
  EXPECT_EQ(oracle_of(run(kTwo)), "none");
}

TEST_F(SeamControl, NoCallTakesMemoryOfALiveBlock) {
  for (const SystemCall call : {SystemCall::kMadvise, SystemCall::kMunmap, SystemCall::kMprotect}) {
    SetUp();
    bad_call = {.call = call, .size = 65536, .takes_away = true};
    const RunResult result = run(kTwo);
    EXPECT_EQ(oracle_of(result), "seam") << name(call);
    EXPECT_EQ(result.violation.line, 1u);
    EXPECT_EQ(result.violation.victim_slot, 0u);
    EXPECT_NE(std::string(result.violation.sentence).find(name(call)), std::string::npos);
  }
}

TEST_F(SeamControl, NorWhileThreadsRunAtTheSameTime) {
  bad_call = {.call = SystemCall::kMadvise, .size = 65536, .takes_away = true};
  // The first block is there before the second is asked for.
  const RunResult result = run("p0 = malloc(100)\ncheck_all()\np1 = malloc(100) @t1\nfree(p1)\n", Mode::kFree);
  EXPECT_EQ(oracle_of(result), "seam");
  EXPECT_EQ(result.violation.line, 2u);
  EXPECT_EQ(result.violation.victim_slot, 0u);
}

TEST_F(SeamControl, OpeningWhatIsOpenIsNoHarm) {
  bad_call = {.call = SystemCall::kMprotect, .size = 65536, .access = true};
  EXPECT_EQ(oracle_of(run(kTwo)), "none");
}

TEST_F(SeamControl, ABlockThatIsBeingFreedMayGo) {
  bad_call = {.call = SystemCall::kMadvise, .size = 65536, .takes_away = true};
  calls_at_free = true;
  EXPECT_EQ(oracle_of(run("p0 = malloc(100)\nfree(p0)\n")), "none");
  SetUp();
  bad_call = {.call = SystemCall::kMadvise, .size = 65536, .takes_away = true};
  calls_at_free = true;
  EXPECT_EQ(oracle_of(run("p0 = malloc(100)\np1 = malloc(100)\nfree(p1)\n")), "seam");
}

TEST_F(SeamControl, WhatIsNotMappedIsNotUnmapped) {
  bad_call = {.call = SystemCall::kMunmap, .size = 65536, .known = false};
  EXPECT_EQ(oracle_of(run(kTwo)), "seam");
}

TEST_F(SeamControl, NullNeedsAFailure) {
  null_error = ENOMEM;
  EXPECT_EQ(oracle_of(run("p0 = malloc(77)\n")), "null_errno");
  EXPECT_EQ(oracle_of(run("p0 = malloc(77) (fail: mmap#1)\n")), "none");
  EXPECT_EQ(oracle_of(run("p0 = malloc(77) (fail: mmap#2)\n")), "null_errno");
  EXPECT_EQ(oracle_of(run("p1 = malloc(77) (fail: mmap#1+)\nos_heal()\np0 = malloc(77)\n")), "null_errno");
}

TEST_F(SeamControl, AndSoWhileThreadsRunAtTheSameTime) {
  null_error = ENOMEM;
  const auto oracle = [](const std::string& text) { return oracle_of(run(text, Mode::kFree)); };
  EXPECT_EQ(oracle("p0 = malloc(77)\n"), "null_errno");
  EXPECT_EQ(oracle("p0 = malloc(77) @t1 (fail: mmap#1)\n"), "none");
  EXPECT_EQ(oracle("p0 = malloc(8) (fail: mmap#1+)\ncheck_all()\np1 = malloc(77) @t1\n"), "none");
  EXPECT_EQ(oracle("p1 = malloc(77) @t1 (fail: mmap#1+)\nos_heal()\np0 = malloc(77)\n"), "null_errno");
}

TEST_F(SeamControl, NullComesWithEnomemWhateverTheKernelSaid) {
  null_error = EAGAIN;
  EXPECT_EQ(oracle_of(run("p0 = malloc(77) (fail: mmap#1=EAGAIN)\n")), "null_errno");
}

TEST_F(SeamControl, AFailureThatNeverComesIsNamed) {
  const RunResult result = run("p0 = malloc(100)\np1 = malloc(100) (fail: munmap#3=EPERM)\n");
  EXPECT_TRUE(result.misses_failure);
  EXPECT_EQ(result.missed_line, 1u);
  EXPECT_EQ(print_failure(result.missed), "munmap#3=EPERM");
  EXPECT_FALSE(run("p0 = malloc(100) (fail: mmap#1)\n").misses_failure);
}

}  // namespace
}  // namespace assay
