// What a lane does outside of the schedule runs to its end before another is put on, so it must wait for none of them.
#include <gtest/gtest.h>

#include "tests/sched/explore_toy.h"

namespace assay {
namespace {

class LockOutside final : public Toy {
 public:
  explicit LockOutside(bool is_shared) : is_shared_(is_shared) {}
  uint32_t threads() const override { return 2; }
  std::string outcome() const override { return "done"; }

  void run(uint32_t thread) override {
    if (thread == 0) take(held_);
    if (thread == 1) value_.store(1, xi::kRelaxed);
  }
  void run_outside(uint32_t thread) override {
    if (thread == 1) take(is_shared_ ? held_ : other_);
  }

 private:
  void take(xi::Lock& lock) {
    xi::LockGuard guard(lock);
    value_.store(2, xi::kRelaxed);
  }

  const bool is_shared_;
  xi::Lock held_, other_;
  xi::Atomic<int> value_;
};

std::string outcomes_of(bool is_shared) {
  return explore_toy([=] { return std::make_unique<LockOutside>(is_shared); }, {.reduced = false}).names();
}

// It would wait for ever, and the subject would be blamed.
TEST(GateTest, ALockThatAStoppedThreadHoldsIsAFaultOfTheTester) {
  EXPECT_EQ(outcomes_of(true), "done outside");
}

TEST(GateTest, ALockThatNobodyHoldsIsNone) {
  EXPECT_EQ(outcomes_of(false), "done");
}

}  // namespace
}  // namespace assay
