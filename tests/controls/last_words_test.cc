// What the handlers of a dying process say: a sanitizer's report is the subject's, a crash of the harness is not.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "harness/op/text.h"
#include "harness/report/child.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

class CrashingSteps final : public StepSource {
 public:
  bool next(Step&) override {
    std::raise(SIGSEGV);
    return false;
  }
};

TEST(LastWords, ACrashOfTheHarnessIsNoViolation) {
  const auto subject = open_subject(std::string(ASSAY_LIBRARY_DIR) + "/libtoy_malloc.so");
  CrashingSteps steps;
  EXPECT_THROW(run_in_child(steps, *subject, {}), std::runtime_error);
}

TEST(LastWords, BadInputInTheMiddleComesThrough) {
  class BadSteps final : public StepSource {
    bool next(Step&) override { throw InputError{"trace.bin: chunk 3 is corrupt"}; }
  };
  const auto subject = open_subject(std::string(ASSAY_LIBRARY_DIR) + "/libtoy_malloc.so");
  BadSteps steps;
  try {
    run_in_child(steps, *subject, {});
    ADD_FAILURE() << "no error";
  } catch (const InputError& error) {
    EXPECT_EQ(error.message, "trace.bin: chunk 3 is corrupt");
  }
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASSAY_WITH_ASAN
#endif
#endif

#if defined(ASSAY_WITH_ASAN)
// libc's functions, but for a malloc that looks at memory which it has given back.
class UseAfterFree final : public Subject {
 public:
  UseAfterFree() {
    name_ = "use_after_free";
    api_.free = [](void* block) { std::free(block); };
    api_.malloc = [](size_t size) -> void* {
      auto* block = static_cast<volatile char*>(std::malloc(size));
      if (size != 77) return const_cast<char*>(block);
      std::free(const_cast<char*>(block));
      return const_cast<char*>(block + block[0]);
    };
  }
  bool owns_code(const void*) const override { return false; }
};

TEST(LastWords, ASanitizersReportIsAViolation) {
  const UseAfterFree subject;
  const Program program = parse_text("assay 1\np0 = malloc(10)\np1 = malloc(77)\n", "control");
  ProgramSteps steps(program);
  const RunResult result = run_in_child(steps, subject, {});
  EXPECT_EQ(result.violation.oracle, Oracle::kSanitizer);
  EXPECT_EQ(result.violation.line, 1u);
  EXPECT_NE(std::string(result.violation.seen).find("heap-use-after-free"), std::string::npos) << result.violation.seen;
}
#endif

}  // namespace
}  // namespace assay
