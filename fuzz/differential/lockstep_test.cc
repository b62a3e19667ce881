// Subjects that misbehave beside ones that do not. Each divergence here is also a control of what finds it.
#include "fuzz/differential/lockstep.h"

#include <gtest/gtest.h>

#include "harness/op/encode.h"
#include "harness/op/text.h"
#include "harness/report/violation_report.h"
#include "harness/subject/registry.h"
#include "harness/subject/shared_object.h"

// tcmalloc leaks 8 bytes of the process's own heap when it is loaded, by design.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

namespace assay {
namespace {

std::string library(const std::string& name) {
  return std::string(ASSAY_LIBRARY_DIR) + "/lib" + name + ".so";
}

// "a=spec": a lane of that name, so that the same subject may be there twice.
std::unique_ptr<Lockstep> together(const std::vector<std::pair<std::string, std::string>>& subjects) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (const auto& [name, spec] : subjects) lanes.push_back(lane_in_process(name, open_subject(spec)));
  return std::make_unique<Lockstep>(std::move(lanes));
}

struct Ran {
  RunResult result;
  ComparisonResult compared;
};

Ran run(Lockstep& subjects, const std::string& lines) {
  const Program program = parse_text("assay 1\n" + lines, "test");
  const std::vector<uint8_t> bytes = encode(program);
  WorkRequest request;
  request.bytes = bytes;
  return {subjects.run(request, program), subjects.compare(request, program, [](const Difference&) { return false; })};
}

constexpr const char* kUsual = "p0 = malloc(100)\np1 = calloc(3, 50)\np0 = realloc(p0, 5000)\nfree(p1)\nfree(NULL)\n";
constexpr const char* kImpossible = "p0 = malloc(24)\np1 = malloc(18446744073709551615)\nfree(p0)\n";

TEST(Lockstep, SoundSubjectsAgree) {
  auto subjects = together({{"libc", "libc"}, {"toy", library("toy_malloc")}, {"ximalloc", "ximalloc"}});
  const Ran ran = run(*subjects, std::string(kUsual) + kImpossible);
  EXPECT_FALSE(ran.result.violation) << ran.result.violation.sentence << ran.result.violation.seen;
  EXPECT_EQ(ran.compared.steps, 8u);
  EXPECT_TRUE(ran.compared.permitted.empty());
}

TEST(Lockstep, WhoBreaksAPromiseIsNamedWithTheOracle) {
  auto subjects = together({{"libc", "libc"}, {"bad", library("faulty_overlap")}});
  const Ran ran = run(*subjects, "p0..p20 = malloc(640)\n");
  EXPECT_EQ(ran.result.violation.oracle, Oracle::kOverlap);
  EXPECT_EQ(std::string(ran.result.violation.sentence).substr(0, 5), "bad: ");
  EXPECT_EQ(dedup_token(ran.result.violation), "overlap-malloc-bad");
}

TEST(Lockstep, AWrongErrorDiverges) {
  auto subjects = together({{"libc", "libc"}, {"bad", library("faulty_errno")}});
  const Ran ran = run(*subjects, kImpossible);
  EXPECT_EQ(dedup_token(ran.result.violation), "divergence-malloc-bad");
  EXPECT_EQ(ran.result.violation.line, 1u);
}

TEST(Lockstep, AMajorityOutvotesNobody) {
  auto subjects = together({{"bad1", library("faulty_errno")}, {"bad2", library("faulty_errno")}});
  const Ran ran = run(*subjects, kImpossible);
  EXPECT_EQ(dedup_token(ran.result.violation), "divergence-malloc-bad1+bad2");
}

TEST(Lockstep, APermittedDifferenceIsNoEnd) {
  auto subjects = together({{"ximalloc", "ximalloc"}, {"libc", "libc"}});
  const std::string lines = "p0 = malloc(24)\np0 = realloc(p0, 0)\np0 = malloc(30)\np1 = malloc(10)\nfree(p0)\n";
  const Ran ran = run(*subjects, lines);
  EXPECT_FALSE(ran.result.violation) << ran.result.violation.seen;
  EXPECT_EQ(ran.compared.permitted.size(), 1u);
  EXPECT_EQ(ran.compared.steps, 5u);
}

TEST(Lockstep, APermittedDifferenceHidesNothingElse) {
  auto subjects = together({{"ximalloc", "ximalloc"}, {"libc", "libc"}, {"bad", library("faulty_errno")}});
  const Ran ran =
      run(*subjects, "p0 = malloc(24)\np0 = realloc(p0, 0)\n" + std::string("p1 = malloc(18446744073709551615)\n"));
  EXPECT_EQ(dedup_token(ran.result.violation), "divergence-malloc-bad");
  EXPECT_EQ(ran.compared.permitted.size(), 1u);
}

TEST(Lockstep, WhatOneLacksNobodyIsAsked) {
  auto subjects = together({{"ximalloc", "ximalloc"}, {"libc", "libc"}});
  const Ran ran = run(*subjects, "p0 = zalloc(100)\np0 = malloc(50)\n");
  EXPECT_FALSE(ran.result.violation);
  EXPECT_EQ(ran.result.executed, 1u);
}

// docs/adding_an_allocator.md: an API of its own, and a page of C.
TEST(Lockstep, TheForeignExampleAgrees) {
  auto subjects = together({{"libc", "libc"}, {"foreign", library("foreign") + ":foreign_"}});
  const Ran ran =
      run(*subjects, std::string(kUsual) + kImpossible + "p5..p200 = malloc(1..70000 seed 1)\ncheck_all()\n");
  EXPECT_FALSE(ran.result.violation) << ran.result.violation.sentence << ran.result.violation.seen;
  EXPECT_EQ(ran.compared.steps, 205u);
}

TEST(Lockstep, ManyDropsNeedFewRounds) {
  auto subjects = together({{"ximalloc", "ximalloc"}, {"libc", "libc"}});
  const Ran ran = run(*subjects, "p0..p499 = malloc(24)\np0..p499 = realloc(p0..p499, 0)\np0..p499 = malloc(8)\n");
  EXPECT_FALSE(ran.result.violation) << ran.result.violation.seen;
  EXPECT_EQ(ran.compared.steps, 1500u);
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  assay::ensure_static_tls(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
