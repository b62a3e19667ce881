// Positive controls of the oracles that ask a subject's instruments: a wrapper around ximalloc whose instruments lie,
// or whose calls misbehave in ways that only the instruments show.
#include <gtest/gtest.h>

#include <string>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

// A copy of ximalloc's tables in which a test replaces entries.
class Wrapper final : public Subject {
 public:
  explicit Wrapper(const Subject& inner) : inner_(inner) {
    api_ = inner.api();
    instruments_ = inner.instruments();
    promises_ = inner.promises();
    name_ = "wrapper";
  }
  bool owns_code(const void* pc) const override { return inner_.owns_code(pc); }
  SubjectApi& api() { return api_; }
  SubjectInstruments& instruments() { return instruments_; }
  Promises& promises() { return promises_; }

 private:
  const Subject& inner_;
};

const Subject& ximalloc() {
  static const auto subject = open_subject("ximalloc");
  return *subject;
}

RunResult run_text(const Subject& subject, const std::string& text) {
  const Program program = parse_text("assay 1\n" + text, "control");
  ProgramSteps steps(program);
  return run_sequential(steps, subject, {});
}

std::string oracle_of(const RunResult& result) {
  return std::string(name(result.violation.oracle));
}

constexpr const char* kPlain = "p0 = malloc(100)\np1 = malloc(3000) @t1\nfree(p0) @t1\np2 = calloc(3, 7)\n";

// Runs as the last thing of a thread that armed it.
void* exit_victim = nullptr;
struct DamageAtExit {
  ~DamageAtExit() {
    if (armed) static_cast<char*>(exit_victim)[3] ^= 1;
  }
  bool armed = false;
};
thread_local DamageAtExit damage_at_exit;

class InstrumentedControl : public testing::Test {
 protected:
  void SetUp() override {
    if (ximalloc().instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  }
};

TEST_F(InstrumentedControl, CleanWithoutAFault) {
  Wrapper wrapper(ximalloc());
  const RunResult result = run_text(wrapper, kPlain);
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  EXPECT_EQ(result.executed, 4u);
}

TEST_F(InstrumentedControl, StructureAtTheOperation) {
  static int calls = 0;
  calls = 0;
  Wrapper wrapper(ximalloc());
  wrapper.instruments().check_structure = [](void (*report)(void*, const char*), void* context) {
    if (++calls < 2) return true;
    report(context, "page 7 holds more blocks than it has room for");
    return false;
  };
  const RunResult result = run_text(wrapper, kPlain);
  EXPECT_EQ(oracle_of(result), "structure");
  EXPECT_EQ(result.violation.line, 1u);
  EXPECT_NE(std::string(result.violation.sentence).find("page 7"), std::string::npos);
}

TEST_F(InstrumentedControl, OutsideWhatIsCommitted) {
  Wrapper wrapper(ximalloc());
  wrapper.instruments().is_committed = [](const void*, size_t size) { return size < 3000; };
  const RunResult result = run_text(wrapper, kPlain);
  EXPECT_EQ(oracle_of(result), "outside");
  EXPECT_EQ(result.violation.line, 1u);
}

TEST_F(InstrumentedControl, FootprintThatDoesNotComeBack) {
  // Every block of 3,000 bytes leaks: a twin of it is never freed.
  Wrapper wrapper(ximalloc());
  wrapper.api().malloc = [](size_t size) {
    if (size == 3000) (void)!ximalloc().api().malloc(size);
    return ximalloc().api().malloc(size);
  };
  const RunResult result = run_text(wrapper, "p0 = malloc(2999)\n");
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  const RunResult leaky = run_text(wrapper, "p0 = malloc(3000)\n");
  EXPECT_EQ(oracle_of(leaky), "footprint");
  EXPECT_EQ(leaky.violation.line, kNoOperation);
}

TEST_F(InstrumentedControl, ABlockThatAThreadsExitTakesAway) {
  // The exit of a thread damages a block of another one: strict runs blame the exit.
  exit_victim = nullptr;
  Wrapper wrapper(ximalloc());
  wrapper.api().malloc = [](size_t size) {
    void* result = ximalloc().api().malloc(size);
    if (size == 200) exit_victim = result;
    if (size == 300) damage_at_exit.armed = true;
    return result;
  };
  const RunResult result = run_text(wrapper, "p0 = malloc(200)\np1 = malloc(300) @t1\nthread_exit() @t1\nfree(p0)\n");
  EXPECT_EQ(oracle_of(result), "contents");
  EXPECT_EQ(result.violation.line, 2u);
}

TEST_F(InstrumentedControl, ReallocToZeroMustKeepItsPromise) {
  Wrapper wrapper(ximalloc());
  wrapper.api().realloc = [](void* old, size_t size) -> void* {
    if (old == nullptr || size != 0) return ximalloc().api().realloc(old, size);
    ximalloc().api().free(old);
    return nullptr;
  };
  const RunResult result = run_text(wrapper, "p0 = malloc(20)\np0 = realloc(p0, 0)\n");
  EXPECT_EQ(oracle_of(result), "null_errno");
  EXPECT_EQ(result.violation.line, 1u);
}

TEST_F(InstrumentedControl, NothingIsFreedTwiceByTheHarness) {
  // Skips, moves and failures leave the model and the subject agreeing on what is live.
  static int64_t live = 0;
  live = 0;
  Wrapper wrapper(ximalloc());
  wrapper.instruments().footprint = nullptr;
  wrapper.api().malloc = [](size_t size) {
    void* result = ximalloc().api().malloc(size);
    if (result != nullptr) ++live;
    return result;
  };
  wrapper.api().free = [](void* old) {
    if (old != nullptr) --live;
    ximalloc().api().free(old);
  };
  const RunResult result =
      run_text(wrapper,
               "p0 = malloc(20)\np0 = malloc(30)\nfree(p7)\np1 = realloc(p0, 5000)\nfree(p0)\n"
               "p2 = malloc(0xffffffffffffffff)\np3 = malloc(64)\np3 = realloc(p3, 0x7fffffffffffffff)\n"
               "p1 = realloc(p3, 10)\nfree(NULL)\n");
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  EXPECT_EQ(live, 0);
  EXPECT_EQ(result.skipped, 4u);
}

}  // namespace
}  // namespace assay
