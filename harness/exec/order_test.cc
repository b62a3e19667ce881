#include "harness/exec/order.h"

#include <gtest/gtest.h>

#include <string>

#include "harness/op/generate.h"
#include "harness/op/text.h"

namespace assay {
namespace {

Order order_of(const std::string& lines) {
  return Order(parse_text("assay 1\n" + lines, "order.ops"));
}

std::vector<uint32_t> waits(const Order& order, uint32_t index) {
  const auto found = order.waits_for(index);
  return {found.begin(), found.end()};
}

using Steps = std::vector<uint32_t>;

TEST(Order, AnOperationWaitsForThePrecedingOneOfItsSlot) {
  const Order order = order_of(
      "p0 = malloc(1)\n"
      "p1 = malloc(1) @t1\n"
      "usable_size(p0) @t1\n"
      "free(p0) @t2\n"
      "free(p1) @t1\n"
      "p1 = realloc(p2, 5) @t0\n");
  EXPECT_EQ(waits(order, 0), Steps{});
  EXPECT_EQ(waits(order, 1), Steps{});
  EXPECT_EQ(waits(order, 2), Steps{0});
  EXPECT_EQ(waits(order, 3), Steps{2});  // and 0 by way of it
  EXPECT_EQ(waits(order, 4), Steps{});   // its own thread's
  EXPECT_EQ(waits(order, 5), Steps{4});
  EXPECT_TRUE(order.is_awaited(0));
  EXPECT_TRUE(order.is_awaited(2));
  EXPECT_FALSE(order.is_awaited(3));
  EXPECT_EQ(order.slot_count(), 3u);
  EXPECT_EQ(order.thread_count(), 3u);
}

TEST(Order, MembersOfRangesWaitOneByOne) {
  const Order order = order_of("p0..p2 = malloc(1)\nfree(p0..p2 step 2) @t1\n");
  EXPECT_EQ(waits(order, 3), Steps{0});
  EXPECT_EQ(waits(order, 4), Steps{2});
  EXPECT_FALSE(order.is_awaited(1));
}

TEST(Order, SomeWaitForAllBeforeAndAllAfterWaitForThem) {
  const Order order = order_of(
      "p0 = malloc(1)\n"
      "p1 = malloc(1) @t1\n"
      "p2 = malloc(1) @t2\n"
      "fork() @t1\n"
      "free(p0) @t0\n"
      "free(p1) @t0\n"
      "free(p2) @t3\n"
      "advance_clock(5) @t0\n"
      "check_all() @t2\n");
  EXPECT_EQ(waits(order, 3), (Steps{0, 2}));
  EXPECT_EQ(waits(order, 4), Steps{3});
  EXPECT_EQ(waits(order, 5), Steps{});
  EXPECT_EQ(waits(order, 6), Steps{3});
  // t1 and t2 did nothing since the fork; t1 did that.
  EXPECT_EQ(waits(order, 7), (Steps{3, 6}));
  EXPECT_EQ(waits(order, 8), Steps{7});
}

TEST(Order, CollectAndExitOfAThreadAreConcurrent) {
  const Order order =
      order_of("p0 = malloc(1) @t1\nthread_exit() @t1\ncollect(1)\np1 = malloc(5) @t1\nfree(NULL) @t2\n");
  for (uint32_t i = 0; i < order.size(); i++) EXPECT_EQ(waits(order, i), Steps{}) << i;
}

// Against the rules as they are written, by brute force: what must come before what, all steps considered.
TEST(Order, WhatIsLeftOutFollowsFromTheRest) {
  for (uint64_t seed = 0; seed < 300; seed++) {
    Program program = generate(seed * 6 + 1, 60);
    for (size_t i = 0; i < program.lines.size(); i++)
      program.lines[i].thread = static_cast<uint32_t>((seed + i * i) % 3);
    const Order order(program);
    const auto count = static_cast<uint32_t>(order.size());
    std::vector<std::vector<bool>> before(count, std::vector<bool>(count));
    const auto closes = [&](uint32_t a, uint32_t b) {
      before[b][a] = true;
      for (uint32_t i = 0; i < a; i++) before[b][i] = before[b][i] || before[a][i];
    };
    for (uint32_t b = 0; b < count; b++) {
      for (uint32_t a = 0; a < b; a++) {
        if (order.step(a).thread == order.step(b).thread) closes(a, b);
      }
      for (const uint32_t a : order.waits_for(b)) closes(a, b);
    }
    for (uint32_t b = 0; b < count; b++) {
      for (uint32_t a = 0; a < b; a++) {
        const Step &first = order.step(a), &second = order.step(b);
        const auto names = [](const Step& step, std::optional<uint64_t> slot) {
          return slot && (step.slot == slot || step.result_slot == slot);
        };
        const bool must = names(second, first.slot) || names(second, first.result_slot) || stands_alone(first.code) ||
                          stands_alone(second.code);
        if (must) ASSERT_TRUE(before[b][a]) << "seed " << seed << ": " << a << " before " << b;
      }
    }
  }
}

TEST(Order, WhatNamesTheSameHeapWaits) {
  const Program program = parse_text(
      "assay 1\nh0 = heap_new() @t1\np0 = heap_malloc(h0, 8) @t1\nfree(p0) @t2\nthread_exit() @t1\nheap_delete(h0) "
      "@t3\n"
      "h1 = heap_new() @t2\nheap_destroy(h1) @t2\np1 = malloc(8)\n",
      "x.ops");
  const Order order(program);
  const auto waits = [&](uint32_t index) {
    const auto span = order.waits_for(index);
    return std::vector<uint32_t>(span.begin(), span.end());
  };
  EXPECT_EQ(waits(2), (std::vector<uint32_t>{1}));
  EXPECT_EQ(waits(4), (std::vector<uint32_t>{3}));
  // heap_destroy stands alone: nobody may use its blocks meanwhile.
  EXPECT_EQ(waits(7), (std::vector<uint32_t>{6}));
  EXPECT_EQ(order.heaps_made(), 2u);
}

}  // namespace
}  // namespace assay
