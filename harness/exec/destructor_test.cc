// Programs whose threads go on in destructors of thread-local storage, in each mode.
#include "harness/exec/destructor.h"

#include <gtest/gtest.h>

#include <pthread.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject.h"

namespace assay {
namespace {

// The C library under a layer that is told of the ends of threads as an allocator is: by a key of its own, which each
// call of a thread arms. Sizes say what the calls of the program are.
class Told final : public Subject {
 public:
  Told() {
    name_ = "told";
    api_.malloc = allocate;
    api_.free = release;
    gives_twice = false;
    seen.clear();
    static const bool made = pthread_key_create(&key, ended) == 0;
    EXPECT_TRUE(made);
  }
  bool owns_code(const void*) const override { return false; }

  struct Call {
    size_t size;
    int ends;  // of its thread that the layer had been told of
    bool operator==(const Call&) const = default;
  };
  static inline std::vector<Call> seen;  // by one thread at a time
  static inline bool gives_twice;        // after the end of a thread, what it was given last

 private:
  static void* allocate(size_t size) {
    pthread_setspecific(key, &ends);
    seen.push_back({size, ends});
    if (gives_twice && ends > 0) return last;
    return last = std::malloc(size + 16);
  }
  static void release(void* block) { std::free(block); }
  static void ended(void*) { ++ends; }

  static inline pthread_key_t key;
  static inline thread_local int ends = 0;
  static inline thread_local void* last = nullptr;
};

constexpr Mode kModes[] = {Mode::kSequential, Mode::kSchedule, Mode::kFree};

RunResult run(const std::string& lines, Mode mode, const Subject& subject) {
  return run_in_mode(parse_text("assay 1\n" + lines, "destructor.ops"), mode, subject, {});
}

TEST(Destructor, TheFirstComesBeforeTheSubjectsOwnAndTheOthersAfterIt) {
  for (const Mode mode : kModes) {
    const Told told;
    const RunResult result =
        run("p0 = malloc(10) @t1\n"
            "tls_destructor() @t1\n"
            "p1 = malloc(20) @t1\n"
            "tls_destructor() @t1\n"
            "p2 = malloc(30) @t1\n"
            "free(p0) @t1\n"
            "tls_destructor() @t1\n"
            "p3 = malloc(40) @t1\n"
            "tls_destructor() @t1\n"
            "p4 = malloc(50) @t1\n"
            "thread_exit() @t1\n"
            "p5 = malloc(60) @t1\n",
            mode, told);
    EXPECT_FALSE(result.violation) << name(mode) << ": " << result.violation.sentence;
    EXPECT_EQ(result.skipped, 1u) << name(mode) << ": there are three rounds";
    const std::vector<Told::Call> expected = {{10, 0}, {20, 0}, {30, 1}, {40, 2}, {50, 2}, {60, 0}};
    EXPECT_EQ(Told::seen, expected) << name(mode);
  }
}

TEST(Destructor, TheMainThreadHasNone) {
  for (const Mode mode : kModes) {
    const Told told;
    const RunResult result = run("tls_destructor()\np0 = malloc(10)\n", mode, told);
    EXPECT_FALSE(result.violation) << name(mode);
    EXPECT_EQ(result.skipped, 1u) << name(mode);
  }
}

TEST(Destructor, AThreadThatNoLineEndsEndsThereToo) {
  for (const Mode mode : kModes) {
    const Told told;
    const RunResult result =
        run("tls_destructor() @t1\ntls_destructor() @t1\np0 = malloc(10) @t1\nfree(p0) @t2\n", mode, told);
    EXPECT_FALSE(result.violation) << name(mode);
    EXPECT_EQ(result.executed, 4u) << name(mode);
  }
}

TEST(Destructor, ABlockThatIsGivenTwiceAfterTheEndIsAnOverlap) {
  for (const Mode mode : kModes) {
    const Told told;
    Told::gives_twice = true;
    const std::string lines = "p0 = malloc(10) @t1\ntls_destructor() @t1\ntls_destructor() @t1\np1 = malloc(8) @t1\n";
    const RunResult result = run(lines, mode, told);
    EXPECT_EQ(result.violation.oracle, Oracle::kOverlap) << name(mode) << ": " << result.violation.sentence;
    EXPECT_EQ(result.violation.line, 3u) << name(mode);
  }
}

TEST(Destructor, OtherThreadsGoOnMeanwhile) {
  const auto libc = open_subject("libc");
  for (const Mode mode : kModes) {
    const RunResult result =
        run("p0..p99 = malloc(1..3000 seed 1) @t1\n"
            "tls_destructor() @t1\n"
            "p100..p199 = malloc(1..3000 seed 2) @t2\n"
            "free(p0..p99 step 2) @t1\n"
            "tls_destructor() @t2\n"
            "free(p100..p199 step 2) @t1\n"
            "free(p101..p199 step 2) @t2\n"
            "fork() @t2\n"
            "p300..p350 = calloc(3, 100) @t1\n"
            "thread_exit() @t1\n"
            "thread_exit() @t2\n"
            "free(p300..p350) @t2\n",
            mode, *libc);
    EXPECT_FALSE(result.violation) << name(mode) << ": " << result.violation.sentence;
    EXPECT_EQ(result.skipped, 0u) << name(mode);
  }
}

}  // namespace
}  // namespace assay
