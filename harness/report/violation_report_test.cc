#include "harness/report/violation_report.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "harness/op/text.h"
#include "harness/report/symbols.h"
#include "harness/report/workdir.h"

namespace assay {
namespace {

Violation lost_contents(uint64_t line) {
  Violation violation;
  violation.oracle = Oracle::kContents;
  violation.line = line;
  violation.op_code = static_cast<uint8_t>(OpCode::kFree);
  std::strcpy(violation.sentence, "block p1 lost its contents at offset 17 of 48");
  std::strcpy(violation.expected, "bytes 01 at offset 17");
  std::strcpy(violation.seen, "bytes 02 at 0x1011");
  violation.victim_slot = 1;
  violation.victim_allocated_line = 1;
  violation.victim_requested = 40;
  violation.victim_usable = 48;
  violation.victim_address = 0x1000;
  return violation;
}

ReportContext context() {
  return {.subject = "ximalloc",
          .subject_version = "0.1.0",
          .flavour = "dev",
          .mode = "sequential",
          .seed = 7,
          .replay_command = "./assay replay lost.ops"};
}

TEST(ViolationText, ShowsAShortProgramWhole) {
  const Program program = parse_text("assay 1\np0 = malloc(24)\np1 = malloc(40)\nfree(p0)\nfree(p1)\n", "lost.ops");
  EXPECT_EQ(violation_text(program, lost_contents(2), context()),
            "VIOLATION contents: block p1 lost its contents at offset 17 of 48\n"
            "\n"
            "       0  p0 = malloc(24)\n"
            "       1  p1 = malloc(40)\n"
            "-->    2  free(p0)\n"
            "       3  free(p1)\n"
            "\n"
            "at:       op 2\n"
            "expected: bytes 01 at offset 17\n"
            "seen:     bytes 02 at 0x1011\n"
            "victim:   p1 at 0x1000, 40 bytes requested, 48 usable, allocated by op 1\n"
            "subject:  ximalloc 0.1.0, flavour dev, mode sequential, seed 7\n"
            "replay:   ./assay replay lost.ops\n"
            "DEDUP_TOKEN: contents-free--");
}

TEST(ViolationText, ShowsOfALongProgramWhatIsNear) {
  std::string text = "assay 1\n";
  for (int i = 0; i < 500; ++i) text += "p" + std::to_string(i) + " = malloc(24)\n";
  const Program program = parse_text(text, "long.ops");
  const std::string report = violation_text(program, lost_contents(300), context());
  EXPECT_NE(report.find("-->  300  p300 = malloc(24)\n"), std::string::npos) << report;
  EXPECT_NE(report.find("       1  p1 = malloc(24)\n"), std::string::npos);
  EXPECT_NE(report.find("     292  p292"), std::string::npos);
  EXPECT_EQ(report.find("p291 ="), std::string::npos);
  EXPECT_EQ(report.find("p309 ="), std::string::npos);
  EXPECT_NE(report.find("        ...\n"), std::string::npos);

  ProgramSteps steps(program);
  EXPECT_EQ(violation_text(steps, lost_contents(300), context()), report);
}

TEST(ViolationText, PointsAtTheEnd) {
  const Program program = parse_text("assay 1\np0 = malloc(24)\n", "end.ops");
  Violation violation = lost_contents(kNoOperation);
  violation.op_code = 255;
  const std::string report = violation_text(program, violation, context());
  EXPECT_NE(report.find("-->       end()\n"), std::string::npos) << report;
  EXPECT_NE(report.find("DEDUP_TOKEN: contents-end--"), std::string::npos);
}

TEST(DedupToken, NamesTheFunctionWithoutItsArguments) {
  const struct {
    const char* symbol;
    const char* token;
  } kRows[] = {
      {"", "contents-free--"},
      {"xi_free", "contents-free-xi_free"},
      {"_ZN2xi4Page6extendEj", "contents-free-xi::Page::extend"},
      {"_ZN2xi12_GLOBAL__N_14takeEPv", "contents-free-xi::take"},
      {"_ZN2xi4PageC2Ev", "contents-free-xi::Page::Page"},
  };
  for (const auto& row : kRows) {
    Violation violation = lost_contents(2);
    std::strcpy(violation.frame, row.symbol);
    EXPECT_EQ(dedup_token(violation), row.token);
  }
}

extern "C" __attribute__((noinline)) int assay_test_function_with_a_name() {
  return 42;
}

TEST(SymbolTable, FindsAFunctionOfThisProgram) {
  SymbolTable table;
  const auto* pc = reinterpret_cast<const char*>(&assay_test_function_with_a_name);
  table.load(pc);
  ASSERT_NE(table.find(pc + 1), nullptr);
  EXPECT_STREQ(table.find(pc + 1), "assay_test_function_with_a_name");
  EXPECT_EQ(table.find(&table), nullptr);
}

TEST(Workdir, LiesInTheRepository) {
  EXPECT_EQ(findings_dir(), repository_root() / "work" / "findings");
  EXPECT_EQ(corpus_dir("alloc_ops"), repository_root() / "work" / "corpus" / "alloc_ops");
}

TEST(OracleNames, GoBothWays) {
  for (int i = 1; i <= static_cast<int>(Oracle::kSanitizer); ++i) {
    EXPECT_EQ(oracle_named(name(static_cast<Oracle>(i))), static_cast<Oracle>(i));
  }
  EXPECT_EQ(oracle_named("nonsense"), Oracle::kNone);
}

}  // namespace
}  // namespace assay
