#include "harness/op/live_slots.h"

#include <gtest/gtest.h>

#include "harness/op/text.h"

namespace assay {
namespace {

LiveSlots after(const std::string& lines) {
  LiveSlots live;
  for (const Operation& operation : parse_text("assay 1\n" + lines, "x.ops").lines) live.apply(operation);
  return live;
}

TEST(LiveSlots, FollowsWhatFillsMovesAndEmpties) {
  EXPECT_TRUE(after("").none());
  EXPECT_EQ(after("p0..p9 = malloc(8)\nfree(p0..p8 step 2)\n").count(), 5u);
  EXPECT_EQ(after("p0..p9 = malloc(8)\nfree(p0..p9 half 3)\n").count(), 5u);
  const LiveSlots moved = after("p0 = malloc(8)\np5 = realloc(p0, 9)\n");
  EXPECT_FALSE(moved.is_live(0));
  EXPECT_TRUE(moved.is_live(5));
  EXPECT_EQ(moved.newest(), 5u);
  EXPECT_EQ(after("p0 = malloc(8)\np0 = realloc(p0, 9)\ncheck(p0)\nusable_size(p0)\nfork()\n").count(), 1u);
  EXPECT_EQ(after("p3 = realloc(NULL, 9)\n").count(), 1u);
  EXPECT_EQ(after("p3 = malloc(1)\nfree(p3)\n").newest(), std::nullopt);
}

TEST(LiveSlots, FollowsHeapsAndTheirBlocks) {
  const LiveSlots made = after(
      "h2 = heap_new() @t1\np0 = heap_malloc(h2, 8) @t1\np1 = heap_malloc(h2, 8)\na1 = reserve_os_memory_ex(9, 0, 0, "
      "0)\n");
  EXPECT_EQ(made.count(), 1u);
  EXPECT_EQ(made.names().owner(2), 1u);
  EXPECT_EQ(made.names().next_live(ArgKind::kHeap, 5), 2u);
  EXPECT_EQ(made.names().next_empty(ArgKind::kNewHeap, 2, 8), 3u);
  EXPECT_EQ(made.names().newest(ArgKind::kArena), 1u);
  EXPECT_TRUE(after("h0 = heap_new()\np0..p9 = heap_malloc(h0, 8)\nheap_destroy(h0)\n").none());
  EXPECT_EQ(after("h0 = heap_new()\np0..p9 = heap_malloc(h0, 8)\nheap_delete(h0)\nheap_destroy(h0)\n").count(), 10u);
  EXPECT_EQ(
      after("h0 = heap_new()\nheap_set_default(h0)\np0 = malloc(8)\np1 = malloc(8) @t1\nheap_destroy(h0)\n").count(),
      1u);
  const LiveSlots left =
      after("h0 = heap_new() @t1\np0 = heap_malloc(h0, 8) @t1\nthread_exit() @t1\nh1 = heap_new()\n");
  EXPECT_EQ(left.names().owner(0), std::nullopt);
  EXPECT_EQ(left.names().next_owned(0), 1u);
  EXPECT_TRUE(left.names().may_end(2, 0));
  EXPECT_FALSE(left.names().may_use(1, 0));
}

TEST(LiveSlots, WhatIsSkippedChangesNothing) {
  const LiveSlots full = after("p0 = malloc(8)\np1 = malloc(8)\np1 = realloc(p0, 9)\n");
  EXPECT_TRUE(full.is_live(0));
  EXPECT_EQ(full.count(), 2u);
  EXPECT_TRUE(after("p1 = realloc(p0, 9)\nfree(p7)\n").none());
}

TEST(LiveSlots, WhatFailsChangesNothing) {
  for (const char* fails :
       {"p0 = malloc(0x8000000000000000)", "p0 = malloc(1073741825)", "p0 = calloc(0x100000000, 0x100000000)",
        "p0 = aligned_alloc(3, 8)", "p0 = aligned_alloc(0, 8)", "p0 = posix_memalign(4, 8)"}) {
    EXPECT_TRUE(after(fails).none()) << fails;
  }
  EXPECT_EQ(after("p0 = malloc(1073741824)\np1 = aligned_alloc(4, 8)\np2 = posix_memalign(8, 8)\n").count(), 3u);
  EXPECT_TRUE(after("p0 = malloc(8)\np1 = realloc(p0, 0x8000000000000000)\n").is_live(0));
}

TEST(LiveSlots, SearchGoesRound) {
  const LiveSlots one = after("p70 = malloc(8)\n");
  EXPECT_EQ(one.next_live(0), 70u);
  EXPECT_EQ(one.next_live(70), 70u);
  EXPECT_EQ(one.next_live(71), 70u);
  EXPECT_EQ(one.next_live(1023), 70u);
  EXPECT_EQ(one.next_empty(70), 71u);
  EXPECT_EQ(after("").next_live(5), std::nullopt);
  LiveSlots all = after("p0..p1023 = malloc(8)\n");
  EXPECT_EQ(all.next_empty(5), std::nullopt);
  for (const Operation& operation : parse_text("assay 1\nfree(p64)\n", "x.ops").lines) all.apply(operation);
  EXPECT_EQ(all.next_empty(1000), 64u);
  EXPECT_EQ(all.next_empty(65), 64u);
}

TEST(LiveSlots, RunsEndAtAGapAndAtTheLastSlot) {
  const LiveSlots live = after("p10..p19 = malloc(8)\np1020..p1023 = malloc(8)\n");
  EXPECT_EQ(live.run(12, 100, true), 8u);
  EXPECT_EQ(live.run(12, 3, true), 3u);
  EXPECT_EQ(live.run(0, 100, false), 10u);
  EXPECT_EQ(live.run(1021, 100, true), 3u);
  EXPECT_TRUE(live.all({.first = 10, .last = 18, .step = 2}, true));
  EXPECT_FALSE(live.all({.first = 10, .last = 20}, true));
}

}  // namespace
}  // namespace assay
