#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject.h"

namespace assay {
namespace {

Program parsed(const std::string& lines) {
  return parse_text("assay 1\n" + lines, "free.ops");
}

RunResult run(const std::string& lines, const Subject& subject, RunOptions options = {}) {
  return run_free(parsed(lines), subject, options);
}

// The C library under a layer that can be told to misbehave.
class Layer final : public Subject {
 public:
  Layer() {
    name_ = "layer";
    api_ = {.malloc = allocate,
            .calloc = nullptr,
            .realloc = nullptr,
            .aligned_alloc = nullptr,
            .posix_memalign = nullptr,
            .free = release};
    gives_twice = false;
    last = nullptr;
  }
  bool owns_code(const void*) const override { return false; }

  static inline std::atomic<bool> gives_twice;
  static inline std::atomic<void*> last;

 private:
  static void* allocate(size_t size) {
    if (gives_twice) {
      if (void* block = last.exchange(nullptr)) return block;
    }
    void* block = std::malloc(size + 16);
    last = block;
    return block;
  }
  static void release(void* block) {
    if (!gives_twice) std::free(block);
  }
};

TEST(FreeRunning, BlocksGoFromThreadToThreadAndThreadsFollowOneAnother) {
  const auto libc = open_subject("libc");
  const std::string program =
      "p0..p499 = malloc(1..4096 seed 3)\n"
      "p500..p999 = calloc(2, 1..4096 seed 4) @t1\n"
      "p0..p499 = realloc(p0..p499, 64..9000 seed 5) @t1\n"
      "free(p500..p999) @t2\n"
      "thread_exit() @t1\n"
      "thread_exit() @t2\n"
      "free(p0..p499 step 2) @t1\n"
      "p0 = malloc(10) @t2\n"
      "thread_exit() @t1\n"
      "p2 = malloc(10) @t1\n"
      "check_all() @t3\n"
      "thread_exit() @t3\n";
  for (int i = 0; i < 10; i++) {
    const RunResult result = run(program, *libc);
    ASSERT_FALSE(result.violation) << result.violation.sentence;
    EXPECT_EQ(result.executed, parsed(program).operations());
    EXPECT_EQ(result.skipped, 0u);
  }
}

TEST(FreeRunning, WhatIsSkippedIsWhatIsSkippedInTextOrder) {
  const auto libc = open_subject("libc");
  const RunResult result = run("p0 = malloc(8)\np0 = malloc(8) @t1\nfree(p0) @t2\nfree(p0) @t1\nfree(p1) @t3\n", *libc);
  EXPECT_FALSE(result.violation);
  EXPECT_EQ(result.executed, 2u);
  EXPECT_EQ(result.skipped, 3u);
}

TEST(FreeRunning, AForkWaitsForAllAndAllWaitForIt) {
  const auto libc = open_subject("libc");
  const RunResult result =
      run("p0..p99 = malloc(100)\np100..p199 = malloc(100) @t1\nthread_exit() @t1\nfork() @t2\nfree(p100..p199) @t1\n",
          *libc);
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  EXPECT_EQ(result.skipped, 0u);
}

TEST(FreeRunning, ABlockThatTwoThreadsAreGivenIsAnOverlap) {
  Layer layer;
  Layer::gives_twice = true;
  const RunResult result = run("p0 = malloc(64)\nfree(NULL) @t1\np1 = malloc(64) @t1\n", layer);
  EXPECT_EQ(result.violation.oracle, Oracle::kOverlap) << result.violation.sentence;
}

// Gives nothing out a second time but one block, and that from inside of its own memory: whatever else races is not
// this.
class Twice final : public Subject {
 public:
  Twice() {
    api_.malloc = [](size_t size) -> void* { return size == 77 ? blocks : blocks + 128 * ++given; };
    api_.free = [](void*) {};
    given = 0;
  }
  bool owns_code(const void*) const override { return false; }
  static inline std::atomic<size_t> given;
  alignas(64) static inline char blocks[4096];
};

// Threads that are stopped have counted without an order to whoever adds up. A race there would end the process in
// flavour tsan and be taken for the allocator's, in place of what was found: `./assay test --full` runs this test
// there.
TEST(FreeRunning, WhatIsFoundIsNotHiddenByAddingUp) {
  // The threads that are left behind have read them, and nobody waits for those.
  static Twice twice;
  static const RunOptions options;
  static const Program program = parsed(
      "p0 = malloc(64)\np1 = malloc(64) @t1\nfree(p0) @t1\np2 = malloc(64) @t2\np3 = malloc(64)\nfree(p3) @t2\n"
      "p4 = malloc(64) @t2\np5 = malloc(77) @t1\np6 = malloc(77) @t1\nfree(NULL) @t2\n");
  const RunResult result = run_free(program, twice, options);
  EXPECT_EQ(result.violation.oracle, Oracle::kOverlap) << result.violation.sentence;
  EXPECT_GE(result.executed, 2u);
}

class Meeting final : public Subject {
 public:
  Meeting() {
    api_.malloc = [](size_t size) -> void* {
      ++arrived;
      for (int ms = 0; arrived < 2 && ms < 5000; ms++) usleep(1000);
      return std::malloc(size);
    };
    api_.free = [](void* block) { std::free(block); };
    arrived = 0;
  }
  bool owns_code(const void*) const override { return false; }
  static inline std::atomic<int> arrived;
};

// Each waits inside of its allocation until the other is inside too.
TEST(FreeRunning, CallsOverlapInTime) {
  Meeting meeting;
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = run("p0 = malloc(64)\np1 = malloc(64) @t1\n", meeting);
  EXPECT_FALSE(result.violation);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST(FreeRunning, TheOneThatHangsIsNamed) {
  class Hanging final : public Subject {
   public:
    Hanging() {
      api_.malloc = [](size_t size) -> void* {
        if (size == 77) usleep(3'000'000);
        return std::malloc(size);
      };
      api_.free = [](void* block) { std::free(block); };
    }
    bool owns_code(const void*) const override { return false; }
  };
  Hanging hanging;
  static Progress progress;
  RunOptions options;
  options.progress = &progress;
  std::atomic<bool> over{false};
  std::thread watcher([&] {
    for (int i = 0; i < 200 && !over; i++) usleep(10'000);
    EXPECT_EQ(progress.line, 1u);
    EXPECT_EQ(progress.in_subject, kInSubject);
  });
  run("p0 = malloc(5)\np1 = malloc(77) @t1\np2 = malloc(5)\nfree(p1)\np3 = malloc(5) @t2\n", hanging, options);
  watcher.join();
}

TEST(FreeRunning, AThousandThreads) {
  const auto libc = open_subject("libc");
  std::string program;
  for (int i = 1; i <= 1000; i++) {
    program += "p" + std::to_string(i) + " = malloc(100) @t" + std::to_string(i) + "\n";
    program += "free(p" + std::to_string(i - 1) + ") @t" + std::to_string(i) + "\n";
  }
  const RunResult result = run(program, *libc);
  EXPECT_FALSE(result.violation);
  EXPECT_EQ(result.executed, 1999u);
}

}  // namespace
}  // namespace assay
