// Which real threads live a program's logical ones, from program to program, in each mode.
#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

#include "harness/exec/run.h"
#include "harness/op/text.h"

namespace assay {
namespace {

// The C library, which notes who calls, and claims to begin afresh.
class Watched final : public Subject {
 public:
  Watched() {
    api_.malloc = [](size_t size) {
      note(callers);
      return std::malloc(size);
    };
    api_.free = [](void* block) { std::free(block); };
    instruments_.reset = [] {};
    instruments_.end_thread = [] { note(told); };
    callers.clear();
    told.clear();
  }
  bool owns_code(const void*) const override { return false; }

  static void note(std::multiset<pid_t>& threads) {
    const std::lock_guard guard(lock);
    threads.insert(static_cast<pid_t>(syscall(SYS_gettid)));
  }
  // Who called since the last time, but for the calling thread.
  static std::set<pid_t> others() {
    std::set<pid_t> threads(callers.begin(), callers.end());
    threads.erase(static_cast<pid_t>(syscall(SYS_gettid)));
    callers.clear();
    return threads;
  }
  static inline std::mutex lock;
  static inline std::multiset<pid_t> callers, told;
};

class KeptThreads : public testing::TestWithParam<Mode> {
 protected:
  std::set<pid_t> threads_of(const std::string& lines, Strictness strictness = Strictness::kSampled) {
    RunOptions options;
    options.strictness = strictness;
    const RunResult result = run_in_mode(parse_text("assay 1\n" + lines, "kept.ops"), GetParam(), subject_, options);
    EXPECT_FALSE(result.violation) << result.violation.sentence;
    return Watched::others();
  }
  // A scheduler has threads for all, and need not end them where others must.
  static bool scheduled() { return GetParam() == Mode::kSchedule; }

  Watched subject_;
};

constexpr const char* kThreeThreads = "p0 = malloc(1)\np1 = malloc(1) @t1\np2 = malloc(1) @t2\n";

TEST_P(KeptThreads, LiveThroughTheNextProgramToo) {
  const std::set<pid_t> first = threads_of(kThreeThreads);
  EXPECT_EQ(first.size(), scheduled() ? 3u : 2u);
  EXPECT_EQ(threads_of(kThreeThreads), first);
  EXPECT_EQ(threads_of(kThreeThreads), first);
  // Each was told each time.
  for (const pid_t thread : first) EXPECT_EQ(Watched::told.count(thread), 3u);
}

TEST_P(KeptThreads, ButNotThroughTheirOwnExit) {
  const std::string program = "p0 = malloc(1)\np1 = malloc(1) @t1\nthread_exit() @t1\n";
  const std::set<pid_t> first = threads_of(program);
  const std::set<pid_t> second = threads_of(program);
  Watched::told.clear();
  std::set<pid_t> both = first;
  both.insert(second.begin(), second.end());
  EXPECT_EQ(both.size(), scheduled() ? 3u : 2u);
}

TEST_P(KeptThreads, NorThroughTheirDestructors) {
  const std::string program = "p0 = malloc(1)\ntls_destructor() @t1\np1 = malloc(1) @t1\n";
  const std::set<pid_t> first = threads_of(program);
  const std::set<pid_t> second = threads_of(program);
  std::set<pid_t> both = first;
  both.insert(second.begin(), second.end());
  EXPECT_EQ(both.size(), scheduled() ? 3u : 2u);
}

TEST_P(KeptThreads, AThreadThatComesAgainIsANewOneAndIsKept) {
  const std::string program = "p1 = malloc(1) @t1\nthread_exit() @t1\np2 = malloc(1) @t1\nfree(p2) @t1\n";
  const std::set<pid_t> first = threads_of(program);
  EXPECT_EQ(first.size(), 2u);
  const std::set<pid_t> second = threads_of(program);
  std::set<pid_t> both = first;
  both.insert(second.begin(), second.end());
  EXPECT_EQ(both.size(), 3u) << "one was kept, and begins the second program";
}

TEST_P(KeptThreads, AreNoneWhereItIsLookedAtClosely) {
  if (scheduled()) GTEST_SKIP() << "a schedule's set-up and end are nobody's concern";
  const std::set<pid_t> first = threads_of(kThreeThreads, Strictness::kStrict);
  const std::set<pid_t> second = threads_of(kThreeThreads, Strictness::kStrict);
  std::set<pid_t> both = first;
  both.insert(second.begin(), second.end());
  EXPECT_EQ(both.size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(, KeptThreads, testing::Values(Mode::kSequential, Mode::kSchedule, Mode::kFree),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace assay
