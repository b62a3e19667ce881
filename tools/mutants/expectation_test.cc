#include "tools/mutants/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/op/program.h"

namespace assay::mutants {
namespace {

constexpr char kBody[] = "--- a/allocator/heap/free.cc\n+++ b/allocator/heap/free.cc\n@@ -1 +1 @@\n--- x\n+y\n";

class ExpectationTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "realloc_tail.patch";
    std::ofstream(path) << text;
    return path;
  }

  std::string refusal(const std::string& text, bool header_needed = true) {
    try {
      read_expectation(write(text), header_needed);
    } catch (const InputError& error) {
      return error.message;
    }
    return "accepted";
  }
};

TEST_F(ExpectationTest, ReadsHeaderAndFiles) {
  const Expectation mutant = read_expectation(
      write(std::string("# Expect: alloc_ops@fuzz fuzz contents|overlap within=45\nWhy.\n") + kBody), true);
  EXPECT_EQ(mutant.name, "realloc_tail");
  EXPECT_EQ(mutant.target, "alloc_ops");
  EXPECT_EQ(mutant.within_seconds, 45);
  EXPECT_THAT(mutant.files, ::testing::ElementsAre("allocator/heap/free.cc"));
  EXPECT_EQ(mutant.oracle_names(), "contents|overlap");
  EXPECT_TRUE(mutant.accepts(Oracle::kOverlap));
  EXPECT_FALSE(mutant.accepts(Oracle::kCrash));
  EXPECT_FALSE(mutant.accepts(Oracle::kNone));
}

TEST_F(ExpectationTest, ReadsHowAndInWhichFlavourItIsHunted) {
  const Expectation swept =
      read_expectation(write(std::string("# Expect: alloc_ops sweep crash within=9\n") + kBody), true);
  EXPECT_EQ(swept.hunter, Hunter::kSweep);
  EXPECT_EQ(swept.flavour, "fuzz");
  const Expectation explored =
      read_expectation(write(std::string("# Expect: sched@fuzz-sched explore overlap within=9\n") + kBody), true);
  EXPECT_EQ(explored.hunter, Hunter::kExplore);
  EXPECT_EQ(explored.target, "sched");
  EXPECT_EQ(explored.flavour, "fuzz-sched");
}

TEST_F(ExpectationTest, WithoutHeaderAnyOracleIsRight) {
  const Expectation mutant = read_expectation(write(kBody), false);
  EXPECT_TRUE(mutant.accepts(Oracle::kCrash));
  EXPECT_FALSE(mutant.accepts(Oracle::kNone));
  EXPECT_THAT(refusal(kBody), ::testing::HasSubstr("is missing"));
}

TEST_F(ExpectationTest, ReadsWhatComparingIsToSee) {
  const Expectation mutant = read_expectation(
      write(
          std::string("# Expect: alloc_ops@sched explore crash within=9\n# Compared: contents|alignment within=40\n") +
          kBody),
      true);
  EXPECT_EQ(mutant.oracle_names(), "crash");
  const Expectation compared = mutant.by_comparison();
  EXPECT_EQ(compared.name, mutant.name);
  EXPECT_EQ(compared.target, "differential");
  EXPECT_EQ(compared.flavour, "fuzz");
  EXPECT_EQ(compared.hunter, Hunter::kFuzz);
  EXPECT_EQ(compared.oracle_names(), "contents|alignment|divergence");
  EXPECT_EQ(compared.within_seconds, 40);
  EXPECT_TRUE(read_expectation(write(kBody), false).compared.empty());
}

TEST_F(ExpectationTest, RefusesWhatIsWrong) {
  const std::string body = kBody;
  EXPECT_THAT(refusal("# Compared: within=3\n" + body, false), ::testing::HasSubstr(":1: the line is '# Compared:"));
  EXPECT_THAT(refusal("# Compared: colour within=3\n" + body, false), ::testing::HasSubstr("unknown oracle 'colour'"));
  EXPECT_THAT(refusal("# Compared: crash within=0\n" + body, false), ::testing::HasSubstr("not a number of seconds"));
  EXPECT_THAT(refusal("# Expect: alloc_ops fuzz within=3\n" + body), ::testing::HasSubstr(":1: the header is"));
  EXPECT_THAT(refusal("# Expect: alloc_ops fuzz colour within=3\n" + body),
              ::testing::HasSubstr("unknown oracle 'colour'"));
  EXPECT_THAT(refusal("# Expect: alloc_ops fuzz crash within=0\n" + body),
              ::testing::HasSubstr("not a number of seconds"));
  EXPECT_THAT(refusal("# Expect: alloc_ops fuzz crash within=3s\n" + body),
              ::testing::HasSubstr("not a number of seconds"));
  EXPECT_THAT(refusal("# Expect: alloc_ops chance crash within=3\n" + body), ::testing::HasSubstr("not by 'chance'"));
  EXPECT_THAT(refusal("# Expect: alloc_ops@../x fuzz crash within=3\n" + body),
              ::testing::HasSubstr("no target with a flavour"));
  EXPECT_THAT(refusal("nothing\n", false), ::testing::HasSubstr("no patch on allocator/"));
  EXPECT_THAT(refusal("--- a/tools/main.cc\n+++ b/tools/main.cc\n", false), ::testing::HasSubstr("not in allocator/"));
  EXPECT_THAT(refusal("--- a/x\n+++ b/allocator/../tools/main.cc\n", false), ::testing::HasSubstr("not in allocator/"));
}

}  // namespace
}  // namespace assay::mutants
