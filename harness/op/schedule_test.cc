#include "harness/op/schedule.h"

#include <gtest/gtest.h>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/minimise.h"
#include "harness/op/mutate.h"
#include "harness/op/random.h"
#include "harness/op/round_trip.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

constexpr std::string_view kTwoThreads =
    "assay 1\n"
    "p0 = malloc(24)\n"
    "p1..p9 = malloc(64) @t1\n"
    "free(p0) @t2\n";

Program parsed(const std::string& text) {
  return parse_text(text, "s.ops");
}

std::string with(const std::string& lines) {
  return std::string(kTwoThreads) + lines;
}

std::string refusal(const std::string& lines) {
  try {
    parsed(with(lines));
  } catch (const InputError& error) {
    return error.message;
  }
  return "accepted";
}

TEST(Schedule, TextIsSortedAndItsOwn) {
  const std::string canonical = with(
      "preempt(t0, op 0) -> t1\n"
      "preempt(t0, op 0, access 2) -> t2\n"
      "cas_fails(t0, op 0, access 2)\n"
      "stale(t1, op 1[8], access 70000, 2)\n"
      "preempt(t2, op 2, access 1) -> t0\n");
  EXPECT_EQ(print_text(parsed(canonical)), canonical);
  EXPECT_EQ(print_text(parsed(with("preempt( t2,op 2 , access 0x1 )-> t0  # why\n"
                                   "stale(t1, op 1[8], access 70000, 2)\n"
                                   "cas_fails(t0, op 0[0], access 2)\n"
                                   "preempt(t0, op 0, access 2) -> t2\n"
                                   "preempt(t0, op 0, access 0) -> t1\n"))),
            canonical);
}

TEST(Schedule, PreemptionsAtOneAccessStayInTheirOrder) {
  const std::string canonical = with(
      "preempt(t0, op 0, access 2) -> t2\n"
      "preempt(t0, op 0, access 2) -> t1\n");
  const Program program = parsed(canonical);
  EXPECT_EQ(print_text(program), canonical);
  EXPECT_EQ(print_text(decode(encode(program))), canonical);
  EXPECT_EQ(refusal("preempt(t0, op 0, access 2) -> t1\npreempt(t0, op 0, access 2) -> t1\n"),
            "s.ops:6:1: a second preempt at the same access");
}

TEST(Schedule, LinesMayStandBeforeTheOperationsThatTheyName) {
  const Program program = parsed("assay 1\npreempt(t1, op 1, access 3) -> t0\np0 = malloc(1)\nfree(p0) @t1\n");
  const std::vector<ScheduleEvent> events = schedule_of(program);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0], (ScheduleEvent{ScheduleKind::kPreempt, 1, 1, 0, 3, 0}));
}

TEST(Schedule, WhatDoesNotExistIsNamedWithLineAndColumn) {
  EXPECT_EQ(refusal("preempt(t0, op 3, access 1) -> t1\n"), "s.ops:5:1: there is no op 3 in this program");
  EXPECT_EQ(refusal("preempt(t1, op 0, access 1) -> t2\n"), "s.ops:5:1: op 0 runs on t0, not on t1");
  EXPECT_EQ(refusal("  preempt(t0, op 0, access 1) -> t3\n"), "s.ops:5:3: there is no thread t3 in this program");
  EXPECT_EQ(refusal("preempt(t0, op 0, access 1) -> t0\n"), "s.ops:5:1: t0 cannot preempt itself");
  EXPECT_EQ(refusal("preempt(t1, op 1[9], access 1) -> t0\n"),
            "s.ops:5:1: that operation has 9 members, the last is [8]");
  EXPECT_EQ(refusal("stale(t0, op 0, access 1, 0)\n"), "s.ops:5:1: a stale value is at least 1 older");
  EXPECT_EQ(refusal("cas_fails(t0, op 0, access 0)\n"), "s.ops:5:1: accesses are counted from 1");
  EXPECT_EQ(refusal("cas_fails(t0, op 0, access 1)\ncas_fails(t0, op 0, access 1)\n"),
            "s.ops:6:1: a second cas_fails at the same access");
  EXPECT_EQ(refusal("stale(t0, op 0)\n"), "s.ops:5:15: expected ',' after the operation, found ')'");
  EXPECT_EQ(refusal("preempt(t0, 0) -> t1\n"), "s.ops:5:13: expected 'op N', found '0'");
  EXPECT_EQ(refusal("preempt(p0, op 0) -> t1\n"), "s.ops:5:9: expected a thread (t0, t1, ...), found 'p0'");
  EXPECT_EQ(refusal("preempt(t0, op 0)\n"),
            "s.ops:5:18: expected '->' and the thread that runs then, found the end of the line");
}

TEST(Schedule, BytesHoldItWithinTheirCaps) {
  for (const char* line :
       {"preempt(t0, op 0) -> t1", "preempt(t0, op 0, access 29) -> t2", "preempt(t0, op 0, access 30) -> t2",
        "preempt(t0, op 0, access 65535) -> t1", "preempt(t1, op 1[8], access 2) -> t0",
        "stale(t1, op 1, access 255, 255)", "cas_fails(t2, op 2, access 256)",
        "preempt(t0, op 0, access 1) -> t1\nstale(t0, op 0, access 1, 1)\ncas_fails(t0, op 0, access 1)"}) {
    EXPECT_EQ(round_trip_fault(parsed(with(std::string(line) + "\n"))), std::nullopt) << line;
  }
  EXPECT_THROW(encode(parsed(with("preempt(t0, op 0, access 65536) -> t1\n"))), InputError);
  EXPECT_THROW(encode(parsed(with("stale(t0, op 0, access 1, 256)\n"))), InputError);
}

TEST(Schedule, AProgramWithoutOneHasTheBytesThatItHadBefore) {
  EXPECT_EQ(encode(parsed(std::string(kTwoThreads))).front(), 0xd4);
}

TEST(Schedule, NoiseIsAProgramAndMostlyHasOne) {
  int scheduled = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    std::vector<uint8_t> noise = {0xd3, 's', 'c', 0xd4};
    for (uint64_t i = 0; i < 60; i++) noise.push_back(static_cast<uint8_t>(random_at(seed, i)));
    const Program program = decode(noise);
    ASSERT_EQ(round_trip_fault(program), std::nullopt) << seed;
    scheduled += has_schedule(program);
  }
  EXPECT_GT(scheduled, 1500);
}

TEST(Schedule, MutationAddsMovesAndDropsEvents) {
  const Program plain = parsed(std::string(kTwoThreads));
  int added = 0, kept_plain = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Program program = plain;
    for (uint64_t i = 0; i < 8; i++) {
      program = mutate(program, seed * 8 + i, 4096, {.schedules = true});
      ASSERT_EQ(round_trip_fault(program), std::nullopt) << seed;
    }
    added += has_schedule(program);
    kept_plain += !has_schedule(mutate(plain, seed, 4096));
  }
  EXPECT_GT(added, 200);
  EXPECT_EQ(kept_plain, 400);
}

TEST(Schedule, ACutAwayThreadTakesItsPreemptionsWithIt) {
  Program program = parsed(with("preempt(t0, op 0, access 1) -> t2\n"));
  const std::vector<uint8_t> whole = encode(program);
  const std::vector<uint8_t> bytes = encode_beginning(program, whole.size() - 1);
  EXPECT_EQ(program.lines.size(), 2u);
  EXPECT_FALSE(has_schedule(program));
  EXPECT_EQ(decode(bytes), program);
}

TEST(Schedule, ListsAreKeptInOrderAndNonsenseIsLeftOut) {
  Program program = parsed(std::string(kTwoThreads));
  const ScheduleEvent good{ScheduleKind::kPreempt, 0, 0, 0, 4, 1}, earlier{ScheduleKind::kStale, 0, 0, 0, 3, 1};
  const ScheduleEvent other_thread{ScheduleKind::kPreempt, 1, 0, 0, 4, 0},
      no_line{ScheduleKind::kPreempt, 0, 9, 0, 1, 1};
  set_schedule(program, std::vector{good, no_line, other_thread, earlier, good});
  EXPECT_EQ(schedule_of(program), (std::vector{earlier, good}));
  EXPECT_EQ(validate(program), std::nullopt);
}

// A program that fails as long as t1 may run inside the free of another thread, at access 3 or later.
TEST(Schedule, MinimisingDropsEventsAndMovesTheRest) {
  const Program program = parsed(
      "assay 1\n"
      "p0..p3 = malloc(64)\n"
      "p4 = malloc(64) @t3\n"
      "p5 = malloc(64) @t2\n"
      "free(p0) @t3\n"
      "free(p4)\n"
      "preempt(t0, op 0[2], access 2) -> t2\n"
      "preempt(t3, op 3, access 1) -> t2\n"
      "preempt(t3, op 3, access 9) -> t0\n"
      "stale(t3, op 3, access 12, 6)\n");
  const StillFails fails = [](const Program& candidate) {
    bool preempted = false, stale = false;
    for (const ScheduleEvent& event : schedule_of(candidate)) {
      const bool in_free = candidate.lines[event.line].code == OpCode::kFree && event.thread != 0;
      preempted |= in_free && event.kind == ScheduleKind::kPreempt && event.access >= 3;
      stale |= in_free && event.kind == ScheduleKind::kStale && event.value >= 2;
    }
    return preempted && stale;
  };
  const MinimiseResult result = minimise(program, fails, {});
  EXPECT_EQ(print_text(result.program),
            "assay 1\nfree(p0) @t1\nstale(t1, op 0, access 1, 3)\npreempt(t1, op 0, access 3) -> t0\n");
}

}  // namespace
}  // namespace assay
