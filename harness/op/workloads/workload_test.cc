#include "harness/op/workloads/workload.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/op/encode.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

Program small(const Workload& workload, uint32_t threads, uint64_t rounds) {
  return workload.make({.threads = threads, .rounds = rounds, .seed = 5});
}

// What a program does when every call succeeds.
struct Shape {
  uint64_t skipped = 0, allocations = 0, remote_frees = 0, frees = 0, live_at_end = 0, most_live = 0;
  std::set<uint32_t> threads;
};

Shape shape_of(const Program& program) {
  Shape shape;
  std::map<uint64_t, uint32_t> owners;
  std::map<uint64_t, uint64_t> heaps;  // of blocks that one was named for
  ProgramSteps steps(program);
  for (Step step; steps.next(step);) {
    shape.threads.insert(step.thread);
    if (step.slot && !owners.contains(*step.slot)) shape.skipped++;
    if (step.code == OpCode::kFree) {
      shape.frees++;
      shape.remote_frees += owners[*step.slot] != step.thread;
      owners.erase(*step.slot);
    }
    if (step.result_slot && step.result_slot != step.slot) {
      shape.allocations++;
      shape.skipped += owners.contains(*step.result_slot);
    }
    if (step.result_slot) owners[*step.result_slot] = step.thread;
    const bool names_heap = info(step.code).args[0] == ArgKind::kHeap;
    if (step.result_slot) heaps[*step.result_slot] = names_heap ? step.args[0] : kNoName;
    if (step.code == OpCode::kHeapDestroy) {
      std::erase_if(owners, [&](const auto& owner) { return heaps[owner.first] == step.args[0]; });
    }
    shape.most_live = std::max<uint64_t>(shape.most_live, owners.size());
  }
  shape.live_at_end = owners.size();
  return shape;
}

class Workloads : public testing::TestWithParam<const Workload*> {};

TEST_P(Workloads, AreWellFormedWhateverTheirSize) {
  for (const uint32_t threads : {1u, 2u, 3u, 7u, kMaxWorkloadThreads}) {
    for (const uint64_t rounds : {1u, 2u, 9u}) {
      const Program program = small(*GetParam(), threads, rounds);
      const auto fault = validate(program, kTextCaps);
      ASSERT_FALSE(fault) << threads << " threads: " << *fault;
      EXPECT_FALSE(program.lines.empty());
    }
  }
}

TEST_P(Workloads, AreTheirTextAndTheirBytes) {
  const Program program = small(*GetParam(), 3, 1);
  EXPECT_EQ(parse_text(print_text(program), "text"), program);
  if (GetParam()->name == "swiss_cheese") return;  // more blocks than bytes can name
  EXPECT_FALSE(validate(program, kByteCaps));
}

TEST_P(Workloads, EveryOperationFindsItsSlots) {
  for (const uint32_t threads : {1u, 4u, 31u}) {
    const Shape shape = shape_of(small(*GetParam(), threads, 12));
    EXPECT_EQ(shape.skipped, 0u) << threads;
    EXPECT_GE(shape.allocations, 12u);
    EXPECT_GE(shape.threads.size(), threads);
  }
}

TEST_P(Workloads, TheSeedDecides) {
  const WorkloadOptions options{.threads = 4, .rounds = 5, .seed = 9};
  WorkloadOptions other = options;
  other.seed = 10;
  EXPECT_EQ(GetParam()->make(options), GetParam()->make(options));
  const bool draws_nothing = GetParam()->name == "pairs" || GetParam()->name == "cache_scratch";
  EXPECT_EQ(GetParam()->make(options) == GetParam()->make(other), draws_nothing);
}

std::vector<const Workload*> pointers() {
  std::vector<const Workload*> result;
  for (const Workload& workload : all_workloads()) result.push_back(&workload);
  return result;
}
INSTANTIATE_TEST_SUITE_P(All, Workloads, testing::ValuesIn(pointers()),
                         [](const auto& instance) { return std::string(instance.param->name); });

// What each is named for.
Shape usual(std::string_view name) {
  const Workload& workload = *find_workload(name);
  return shape_of(workload.make(workload.usual));
}

TEST(WorkloadShapes, AStormIsAllThreadsAtOnce) {
  const Shape shape = shape_of(find_workload("trie_storm")->make({.threads = 1000, .rounds = 1, .seed = 1}));
  EXPECT_EQ(shape.most_live, 11'000u);
  EXPECT_EQ(shape.threads.size(), 1000u);
  EXPECT_EQ(shape.remote_frees, 0u);
}

TEST(WorkloadShapes, CopiesAndMessagesAreFreedByOthers) {
  for (const char* name : {"cow_trie", "bulk_two_phase", "xmalloc", "xring"}) {
    const Shape shape = usual(name);
    EXPECT_GT(shape.remote_frees * 2, shape.frees) << name;
  }
  EXPECT_EQ(usual("xmalloc").remote_frees, usual("xmalloc").frees);
}

TEST(WorkloadShapes, StringsStayToTheEnd) {
  EXPECT_EQ(usual("bucketed_intern").most_live, usual("bucketed_intern").allocations);
}

TEST(WorkloadShapes, ACheeseHasHoles) {
  const Shape shape = usual("swiss_cheese");
  EXPECT_EQ(shape.most_live, 60'000u);
  EXPECT_EQ(shape.allocations, 90'000u);
}

TEST(WorkloadShapes, OneThatIsNotThere) {
  EXPECT_EQ(find_workload("nothing"), nullptr);
}

}  // namespace
}  // namespace assay
