// Which values loads may return: the litmus tests that everybody knows, each with all the outcomes that C++20 allows
// and that an execution in some order of the threads can produce (store_history.h says which those are not).
#include <gtest/gtest.h>

#include "tests/sched/explore_toy.h"

namespace assay {
namespace {

constexpr ExhaustiveLimits kAll = {.older_values = 4};

template <class State>
class Litmus final : public Toy {
 public:
  using Thread = void (*)(State&);
  explicit Litmus(std::vector<Thread> threads) : threads_(std::move(threads)) {}
  uint32_t threads() const override { return static_cast<uint32_t>(threads_.size()); }
  void run(uint32_t thread) override { threads_[thread](state_); }
  std::string outcome() const override { return state_.outcome(); }

 private:
  std::vector<Thread> threads_;
  State state_;
};

struct Cells {
  xi::Atomic<int> x, y;
  int a = 0, b = 0, c = 0, d = 0;
  std::string outcome() const { return std::to_string(a) + std::to_string(b) + std::to_string(c) + std::to_string(d); }
};

std::string outcomes_of(std::vector<Litmus<Cells>::Thread> threads) {
  const Outcomes outcomes = explore_toy([&threads] { return std::make_unique<Litmus<Cells>>(threads); }, kAll);
  EXPECT_TRUE(outcomes.exhausted);
  return outcomes.names();
}

TEST(MemoryModelTest, MessagePassing) {
  const auto sends = [](Cells& s) { s.x.store(1, xi::kRelaxed), s.y.store(1, xi::kRelease); };
  const auto sends_relaxed = [](Cells& s) { s.x.store(1, xi::kRelaxed), s.y.store(1, xi::kRelaxed); };
  const auto receives = [](Cells& s) { s.a = s.y.load(xi::kAcquire), s.b = s.x.load(xi::kRelaxed); };
  const auto receives_relaxed = [](Cells& s) { s.a = s.y.load(xi::kRelaxed), s.b = s.x.load(xi::kRelaxed); };
  EXPECT_EQ(outcomes_of({sends, receives}), "0000 0100 1100");
  EXPECT_EQ(outcomes_of({sends_relaxed, receives}), "0000 0100 1000 1100");
  EXPECT_EQ(outcomes_of({sends, receives_relaxed}), "0000 0100 1000 1100");
}

TEST(MemoryModelTest, AnExchangeContinuesTheReleaseSequenceAndAStoreDoesNot) {
  const auto sends = [](Cells& s) { s.x.store(1, xi::kRelaxed), s.y.store(1, xi::kRelease); };
  const auto adds = [](Cells& s) { s.y.fetch_add(1, xi::kRelaxed); };
  const auto receives = [](Cells& s) {
    s.a = s.y.load(xi::kAcquire);
    s.b = s.x.load(xi::kRelaxed);
  };
  // y is 2 only when the exchange came after the store: then x is known.
  EXPECT_EQ(outcomes_of({sends, adds, receives}).find("2000"), std::string::npos);
  const auto overwrites = [](Cells& s) {
    if (s.y.load(xi::kRelaxed) == 1) s.y.store(2, xi::kRelaxed);
  };
  EXPECT_NE(outcomes_of({sends, overwrites, receives}).find("2000"), std::string::npos);
}

TEST(MemoryModelTest, StoreBuffering) {
  EXPECT_EQ(outcomes_of({[](Cells& s) { s.x.store(1, xi::kRelease), s.a = s.y.load(xi::kAcquire); },
                         [](Cells& s) { s.y.store(1, xi::kRelease), s.b = s.x.load(xi::kAcquire); }}),
            "0000 0100 1000 1100");
}

TEST(MemoryModelTest, ALocationNeverGoesBack) {
  const auto writes = [](Cells& s) { s.x.store(1, xi::kRelaxed), s.x.store(2, xi::kRelaxed); };
  const auto reads = [](Cells& s) { s.a = s.x.load(xi::kRelaxed), s.b = s.x.load(xi::kRelaxed); };
  EXPECT_EQ(outcomes_of({writes, reads}), "0000 0100 0200 1100 1200 2200");
  // Nor does it for somebody who was told by somebody who has seen.
  const auto reads_and_tells = [](Cells& s) { s.a = s.x.load(xi::kRelaxed), s.y.store(1, xi::kRelease); };
  const auto is_told = [](Cells& s) {
    s.c = s.y.load(xi::kAcquire);
    s.b = s.x.load(xi::kRelaxed);
  };
  const std::string seen = outcomes_of({writes, reads_and_tells, is_told});
  EXPECT_EQ(seen.find("1010"), std::string::npos);
  EXPECT_EQ(seen.find("2010"), std::string::npos);
  EXPECT_EQ(seen.find("2110"), std::string::npos);
  EXPECT_NE(seen.find("2100"), std::string::npos) << "without being told it may be behind";
}

TEST(MemoryModelTest, ReadersMayDisagreeOnIndependentWrites) {
  const std::string seen =
      outcomes_of({[](Cells& s) { s.x.store(1, xi::kRelease); }, [](Cells& s) { s.y.store(1, xi::kRelease); },
                   [](Cells& s) { s.a = s.x.load(xi::kAcquire), s.b = s.y.load(xi::kAcquire); },
                   [](Cells& s) { s.c = s.y.load(xi::kAcquire), s.d = s.x.load(xi::kAcquire); }});
  EXPECT_NE(seen.find("1010"), std::string::npos);
}

TEST(MemoryModelTest, AWeakExchangeMayFailAndAnExchangeReadsTheNewest) {
  EXPECT_EQ(outcomes_of({[](Cells& s) { s.x.store(1, xi::kRelaxed); },
                         [](Cells& s) {
                           int expected = 0;
                           s.a = s.y.compare_exchange_weak(expected, 1, xi::kRelaxed);
                         }}),
            "0000 1000");
  const auto adds = [](Cells& s) { s.x.fetch_add(1, xi::kRelaxed); };
  const auto adds_and_looks = [](Cells& s) { s.a = s.x.fetch_add(1, xi::kRelaxed); };
  EXPECT_EQ(outcomes_of({adds, adds_and_looks}), "0000 1000");
}

// A range of addresses goes from one thread to another by the kernel, and what was true of it with it.
TEST(MemoryModelTest, WhoIsGivenMemoryKnowsWhatWasBeforeItWasGivenBack) {
  const auto gives_back = [](Cells& s) {
    s.x.store(1, xi::kRelaxed);
    xi::announce(&s, 0, xi::Access::kSystemCall, xi::kRelease);
    s.y.store(1, xi::kRelaxed);
  };
  const auto is_given = [](Cells& s) {
    s.a = s.y.load(xi::kRelaxed);
    xi::announce(&s, 0, xi::Access::kSystemCall, xi::kAcquire);
    s.b = s.x.load(xi::kRelaxed);
  };
  const auto asks_something_else = [](Cells& s) {
    s.a = s.y.load(xi::kRelaxed);
    xi::announce(&s, 0, xi::Access::kSystemCall, xi::kRelaxed);
    s.b = s.x.load(xi::kRelaxed);
  };
  EXPECT_EQ(outcomes_of({gives_back, is_given}), "0000 0100 1100");
  EXPECT_EQ(outcomes_of({gives_back, asks_something_else}), "0000 0100 1000 1100");
}

}  // namespace
}  // namespace assay
