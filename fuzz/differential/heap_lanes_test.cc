// Programs about heaps: who runs them, and what is compared of what questions are answered with.
#include <gtest/gtest.h>

#include "fuzz/differential/lockstep.h"
#include "harness/op/encode.h"
#include "harness/op/text.h"

namespace assay {
namespace {

// Answers each step as it is told to, and asks nobody.
class Scripted final : public Lane {
 public:
  Scripted(std::string name, bool has_heaps, uint64_t blocks, uint64_t bytes)
      : Lane(std::move(name)), has_heaps_(has_heaps), blocks_(blocks), bytes_(bytes) {}

  RunResult run(const WorkRequest& request, const Program& program) override {
    ++runs;
    comparison_->begin(request.drops, request.askable);
    ProgramSteps steps(program);
    for (Step step; steps.next(step) && step.code != OpCode::kEnd;) {
      StepAnswer answer{};
      answer.line = static_cast<uint32_t>(step.line);
      answer.member = static_cast<uint32_t>(step.member);
      answer.code = step.code;
      answer.skipped = !request.askable[static_cast<size_t>(step.code)];
      answer.succeeded = !answer.skipped;
      answer.tells = !answer.skipped && step.code == OpCode::kHeapVisitBlocks;
      if (answer.tells) {
        answer.told = blocks_;
        answer.told_bytes = bytes_;
      }
      comparison_->note(answer);
    }
    RunResult result;
    result.executed = comparison_->count;
    return result;
  }
  const Comparison& seen() const override { return *comparison_; }
  std::string version() const override { return "1"; }
  AskableOperations askable() const override {
    AskableOperations all;
    all.fill(true);
    for (const OpInfo& op : all_ops()) {
      if (op.is_about_heaps()) all[static_cast<size_t>(op.code)] = has_heaps_;
    }
    return all;
  }

  int runs = 0;

 private:
  bool has_heaps_;
  uint64_t blocks_, bytes_;
  std::unique_ptr<Comparison> comparison_ = std::make_unique<Comparison>();
};

constexpr const char* kAboutHeaps = "h0 = heap_new()\nheap_visit_blocks(h0, 1)\n";

class HeapLanes : public testing::Test {
 protected:
  void add(const char* name, bool has_heaps, uint64_t blocks = 0, uint64_t bytes = 0) {
    auto lane = std::make_unique<Scripted>(name, has_heaps, blocks, bytes);
    scripted_.push_back(lane.get());
    lanes_.push_back(std::move(lane));
  }
  RunResult run(const std::string& lines) {
    if (!lockstep_) lockstep_ = std::make_unique<Lockstep>(std::move(lanes_));
    const Program program = parse_text("assay 1\n" + lines, "test");
    const std::vector<uint8_t> bytes = encode(program);
    WorkRequest request;
    request.bytes = bytes;
    return lockstep_->run(request, program);
  }
  int runs(size_t lane) const { return scripted_[lane]->runs; }

 private:
  std::vector<Scripted*> scripted_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Lockstep> lockstep_;
};

TEST_F(HeapLanes, WalksThatShowTheSameAgree) {
  add("one", true, 2, 48);
  add("other", true, 2, 48);
  EXPECT_FALSE(run(kAboutHeaps).violation);
}

TEST_F(HeapLanes, OneThatShowsABlockLessDiverges) {
  add("one", true, 2, 48);
  add("other", true, 1, 48);
  const RunResult result = run(kAboutHeaps);
  EXPECT_EQ(result.violation.oracle, Oracle::kDivergence);
  EXPECT_EQ(result.violation.line, 1u);
  EXPECT_STREQ(result.violation.seen, "one: 2 blocks, 48 bytes asked for; other: 1 blocks, 48 bytes asked for");
}

TEST_F(HeapLanes, OneThatShowsOtherBlocksDiverges) {
  add("one", true, 2, 48);
  add("other", true, 2, 40);
  EXPECT_EQ(run(kAboutHeaps).violation.oracle, Oracle::kDivergence);
}

TEST_F(HeapLanes, WhoHasNoneSitsOut) {
  add("none", false);
  add("one", true, 2, 48);
  add("other", true, 2, 48);
  const RunResult result = run(kAboutHeaps);
  EXPECT_FALSE(result.violation) << result.violation.seen;
  EXPECT_EQ(result.executed, 2u) << "by those that ran";
  EXPECT_EQ(runs(0), 0);
  EXPECT_EQ(runs(1), 1);
  run("p0 = malloc(1)\n");
  EXPECT_EQ(runs(0), 1) << "no program about heaps";
  EXPECT_FALSE(run(kAboutHeaps).violation) << "what it answered to the program before is not compared";
}

TEST_F(HeapLanes, WhereOnlyOneHasThemNobodyIsAskedAndAllRun) {
  add("none", false);
  add("one", true, 2, 48);
  const RunResult result = run(kAboutHeaps);
  EXPECT_FALSE(result.violation);
  EXPECT_EQ(runs(0), 1);
}

}  // namespace
}  // namespace assay
