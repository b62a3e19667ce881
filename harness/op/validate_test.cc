#include "harness/op/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/op/text.h"

namespace assay {
namespace {

struct Spoilt {
  std::function<void(Program&)> spoil;
  const char* fault;
};

// op 0 `p0..p8 step 2 = malloc(24..4096 seed 7)`, op 1 `p0..p4 = realloc(p10..p14, 64)`, op 2 `collect(1)`.
Program sound() {
  return parse_text("assay 1\np0..p8 step 2 = malloc(24..4096 seed 7)\np0..p4 = realloc(p10..p14, 64)\ncollect(1)\n",
                    "x.ops");
}

TEST(Validate, NamesWhatIsWrongAndWhere) {
  ASSERT_EQ(validate(sound()), std::nullopt);
  const Spoilt kSpoilt[] = {
      {[](Program& p) { p.lines[0].result->last = 9; }, "op 0: a range is not in its normal form"},
      {[](Program& p) { p.lines[0].result = SlotRange{.first = 3, .last = 3, .half_seed = 1}; },
       "op 0: a range is not in its normal form"},
      {[](Program& p) { p.lines[0].result->step = 0; }, "op 0: a range has step 0"},
      {[](Program& p) { p.lines[0].result->first = 9; }, "op 0: the range p9..p8 is empty"},
      {[](Program& p) { p.lines[0].result = SlotRange{.first = 1024, .last = 1024}; },
       "op 0: slot p1024 is out of range, 0 to 1023"},
      {[](Program& p) { p.lines[0].result.reset(); }, "op 0: malloc lacks a result"},
      {[](Program& p) { p.lines[0].slot = SlotRange{}; }, "op 0: malloc takes no slot"},
      {[](Program& p) { p.lines[0].args[0].low = 5000; }, "op 0: the interval 5000..4096 is empty"},
      {[](Program& p) { p.lines[0].args[0].low = 4096; }, "op 0: a plain number carries a seed"},
      {[](Program& p) { p.lines[0].args[1].high = 1; }, "op 0: argument 1 of malloc is no number"},
      {[](Program& p) { p.lines[1].slot->last = 13; }, "op 1: the slots of both sides do not pair"},
      {[](Program& p) { p.lines[2].result = SlotRange{}; }, "op 2: collect has a result"},
      {[](Program& p) { p.lines[2].thread = 4; }, "op 2: thread t4 is out of range, 0 to 3"},
      {[](Program& p) { p.lines[2].code = static_cast<OpCode>(200); }, "op 2: opcode 200 is not assigned"},
      {[](Program& p) { p.lines[2].fails = {{.nth = 0}}; }, "op 2: the number of a call is 1 to 65535"},
      {[](Program& p) { p.lines[2].fails = {{.call = SystemCall::kMunmap, .kind = FailureKind::kHigh, .error = 0}}; },
       "op 2: 'high' is for mmap"},
      {[](Program& p) { p.lines[2].fails = {{.kind = FailureKind::kHigh}}; }, "op 2: an errno where none is returned"},
      {[](Program& p) { p.lines[2].fails = {{.error = 255}}; }, "op 2: no errno has this number"},
      {[](Program& p) { p.lines[2].fails = {Failure{}, {.persistent = true}}; }, "op 2: mmap#1 fails twice"},
      {[](Program& p) { p.lines[2].fails.resize(9); }, "op 2: more than 8 failures"},
      {[](Program& p) { p.lines[0] = {.code = OpCode::kEnd}; }, "op 0: end is the last line"},
      {[](Program& p) { p.lines.push_back({.code = OpCode::kEnd, .thread = 1}); }, "op 3: end runs on t0"},
      {[](Program& p) { p.header.mode = "odd"; }, "unknown mode 'odd'; known: sequential, schedule, free"},
      {[](Program& p) { p.header.subject = "a\nb"; },
       "header line 'subject' has a character that cannot stand there: '\\x0a'"},
  };
  for (const Spoilt& spoilt : kSpoilt) {
    Program program = sound();
    spoilt.spoil(program);
    EXPECT_EQ(validate(program), spoilt.fault);
  }
}

TEST(Validate, CountsOperationsAndKnowsTheCapsOfText) {
  Program program = parse_text("assay 1\np0..p999 = malloc(1)\n", "x.ops");
  while (program.lines.size() < 5) program.lines.push_back(program.lines.front());
  EXPECT_EQ(validate(program), "op 4: more than 4096 operations");
  EXPECT_EQ(validate(program, kTextCaps), std::nullopt);
  program.lines = {
      parse_text("assay 1\nfree(NULL) (fail: mmap#1, mmap#2, mmap#3, mmap#4, mmap#5, mmap#6, mmap#7, mmap#8, "
                 "munmap#1)\n",
                 "x.ops")
          .lines};
  EXPECT_EQ(validate(program), "op 0: more than 8 failures");
  EXPECT_EQ(validate(program, kTextCaps), std::nullopt);
  program.lines = {parse_text("assay 1\np65534 = malloc(1) @t1022\n", "x.ops").lines};
  EXPECT_EQ(validate(program, kTextCaps), std::nullopt);
  EXPECT_NE(validate(program), std::nullopt);
}

}  // namespace
}  // namespace assay
