// Bad input to record, import and replay: one clear line, exit 2, nothing written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/record/recorded_trace.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void write_file(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

void expect_refused(const Ended& ended, const std::string& why) {
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(why));
}

TEST(RecordRefusal, WhatCannotBeRunWritesNothing) {
  const Scratch scratch;
  const std::string record = ASSAY_TOOL " record -o trace ";
  write_file(scratch.path("text"), "hello");
  const Ended dir = scratch.shell(record + "-- ./");
  expect_refused(scratch.shell(record + "-- no_such_program"), "no_such_program: no such program in PATH");
  expect_refused(scratch.shell(record + "-- ./no_such_program"), "no such program");
  expect_refused(scratch.shell(record + "-- ./text"), "not executable");
  expect_refused(dir, "is a directory");
  expect_refused(scratch.shell(record), "CMD");
  expect_refused(scratch.shell(record + "-- ''"), "empty");
  expect_refused(scratch.shell(ASSAY_TOOL " record -o missing/trace -- true"), "missing/trace");
  expect_refused(scratch.shell(ASSAY_TOOL " record -o . -- true"), "is a directory");
  // Executable, but nothing that the kernel or a shell can start.
  write_file(scratch.path("broken"), std::string("\x7f") + "ELF nonsense");
  expect_refused(scratch.shell("chmod +x broken && " + record + "-- ./broken"), "cannot be run");
  EXPECT_THAT(scratch.files(), ElementsAre("broken", "text"));
}

class TraceRefusal : public testing::TestWithParam<const char*> {};

TEST_P(TraceRefusal, ADamagedTraceIsRefusedBeforeAnythingIsWrittenOrRun) {
  const Scratch scratch;
  ASSERT_EQ(scratch.record("every_function").status, 0);
  const std::string whole = file_text(scratch.path("trace"));
  ASSERT_GT(whole.size(), 100u);
  const std::string line = std::string(ASSAY_TOOL) + " " + GetParam();

  write_file(scratch.path("trace"), whole.substr(0, whole.size() - 1));
  expect_refused(scratch.shell(line), "truncated trace");
  std::string corrupt = whole;
  corrupt[whole.size() / 2] = static_cast<char>(corrupt[whole.size() / 2] ^ 1);
  write_file(scratch.path("trace"), corrupt);
  expect_refused(scratch.shell(line), "corrupt trace");
  EXPECT_THAT(scratch.shell(line).err, HasSubstr("at byte "));
  std::string newer = whole;
  newer[12] = '2';
  write_file(scratch.path("trace"), newer);
  expect_refused(scratch.shell(line), "version 2");
  EXPECT_THAT(scratch.files(), ElementsAre("trace"));
}

INSTANTIATE_TEST_SUITE_P(All, TraceRefusal, testing::Values("import trace -o seeds", "replay trace --subject libc"),
                         [](const auto& line) { return std::string(line.param, 6); });

TEST(ImportRefusal, WhatCannotBeWrittenOrReadLeavesNothing) {
  const Scratch scratch;
  ASSERT_EQ(scratch.record("every_function").status, 0);
  const std::string import = ASSAY_TOOL " import ";
  expect_refused(scratch.shell(import + "missing -o seeds"), "missing: No such file");
  expect_refused(scratch.shell(import + ". -o seeds"), "is a directory");
  expect_refused(scratch.shell(import + "trace -o trace"), "is not a directory");
  expect_refused(scratch.shell(import + "trace -o missing/seeds"), "missing/seeds");
  expect_refused(scratch.shell(import + "trace -o seeds --window 0"), "--window");
  expect_refused(scratch.shell(import + "trace -o seeds --window 1001"), "--window");
  expect_refused(scratch.shell(import + "trace -o seeds --max none"), "--max");
  expect_refused(scratch.shell("echo 'assay 1' > text && " + import + "text -o seeds"), "not a trace");
  EXPECT_THAT(scratch.files(), ElementsAre("text", "trace"));
}

TEST(Import, GivesProgramsThatReplayClean) {
  const Scratch scratch;
  ASSERT_EQ(scratch.record("threads").status, 0);
  EXPECT_EQ(scratch.shell(ASSAY_TOOL " import trace -o seeds --max 20 --window 100").status, 0);
  const Ended again = scratch.shell(ASSAY_TOOL " import trace -o seeds2 --max 20 --window 100 && diff -r seeds seeds2");
  EXPECT_EQ(again.status, 0) << "the same trace gives the same programs under the same names";
  const Ended replayed = scratch.shell(ASSAY_TOOL " replay seeds/*.ops --subject libc");
  EXPECT_EQ(replayed.status, 0) << replayed.out << replayed.err;
  EXPECT_THAT(scratch.shell("ls seeds | wc -l").out, HasSubstr("20"));
}

TEST(Replay, OfThreadsAndChildrenIsClean) {
  const Scratch scratch;
  ASSERT_EQ(scratch.record("threads").status, 0);
  const Ended replayed = scratch.shell(ASSAY_TOOL " replay trace --subject libc --json");
  EXPECT_EQ(replayed.status, 0) << replayed.out << replayed.err;
  EXPECT_THAT(replayed.out, HasSubstr("\"verdict\": \"clean\""));
}

}  // namespace
}  // namespace assay
