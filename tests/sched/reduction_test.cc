// Reduced searches must come to the same outcomes as those that try everything: on random programs, with and without a
// bound, with and without older values.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/sched/explore_toy.h"

namespace assay {
namespace {

constexpr uint32_t kUnbounded = ExhaustiveLimits::kUnbounded;

// A straight line of accesses for each thread; what loads return is summed up in a register that stores write.
struct Line {
  enum class What { kLoad, kStore, kAdd, kExchange, kSwapIfEven, kLock, kUnlock } what;
  uint32_t where;
  std::memory_order order;
};

class LinesToy final : public Toy {
 public:
  explicit LinesToy(const std::vector<std::vector<Line>>& lines) : lines_(lines), registers_(lines.size()) {}
  uint32_t threads() const override { return static_cast<uint32_t>(lines_.size()); }
  void run(uint32_t thread) override {
    int& seen = registers_[thread];
    for (const Line& line : lines_[thread]) {
      xi::Atomic<int>& cell = cells_[line.where];
      switch (line.what) {
        case Line::What::kLoad: seen = seen * 5 + cell.load(line.order); break;
        case Line::What::kStore: cell.store(static_cast<int>(thread) + 1, line.order); break;
        case Line::What::kAdd: seen = seen * 5 + cell.fetch_add(2, line.order); break;
        case Line::What::kExchange: seen = seen * 5 + cell.exchange(4, line.order); break;
        case Line::What::kSwapIfEven: {
          int expected = cell.load(xi::kRelaxed);
          if (expected % 2 == 0) cell.compare_exchange(expected, expected + 1, line.order);
          seen = seen * 5 + expected;
          break;
        }
        case Line::What::kLock: lock_.lock(); break;
        case Line::What::kUnlock: lock_.unlock(); break;
      }
    }
  }
  std::string outcome() const override {
    std::string text;
    for (const int seen : registers_) text += std::to_string(seen) + ",";
    for (const auto& cell : cells_) text += std::to_string(cell.load(xi::kRelaxed)) + ";";
    return text;
  }

 private:
  const std::vector<std::vector<Line>>& lines_;
  xi::Atomic<int> cells_[3];
  xi::Lock lock_;
  std::vector<int> registers_;
};

std::vector<std::vector<Line>> random_lines(uint32_t seed) {
  std::mt19937 random(seed);
  const auto draw = [&random](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  constexpr std::memory_order kOrders[] = {xi::kRelaxed, xi::kAcquire, xi::kRelease, xi::kAcqRel};
  std::vector<std::vector<Line>> threads(2 + draw(2));
  for (auto& lines : threads) {
    const uint32_t count = 2 + draw(threads.size() == 2 ? 3 : 1);
    const bool locks = draw(3) == 0;
    const uint32_t cells = 2 + draw(2);
    if (locks) lines.push_back({Line::What::kLock, 0, xi::kRelaxed});
    for (uint32_t i = 0; i < count; ++i) {
      const auto what = static_cast<Line::What>(draw(5));
      const std::memory_order order = what == Line::What::kLoad    ? kOrders[draw(2)]
                                      : what == Line::What::kStore ? kOrders[draw(2) * 2]
                                                                   : kOrders[draw(4)];
      lines.push_back({what, draw(cells), order});
      if (locks && i == 0) lines.push_back({Line::What::kUnlock, 0, xi::kRelaxed});
    }
  }
  return threads;
}

bool is_full() {
  return std::getenv("ASSAY_FULL") != nullptr;
}

class ReductionTest : public testing::TestWithParam<uint32_t> {};

TEST_P(ReductionTest, OutcomesAreThoseOfTheNaiveSearch) {
  const auto lines = random_lines(GetParam());
  const auto make = [&lines] { return std::make_unique<LinesToy>(lines); };
  // Larger ones take the naive search too long; in a full test they are looked at, too.
  const uint64_t naive_runs = is_full() ? 20'000 : 1'000;
  for (const uint32_t bound : {0u, 1u, 2u, kUnbounded}) {
    for (const uint32_t older : {0u, 1u}) {
      const Outcomes naive =
          explore_toy(make, {.preemptions = bound, .older_values = older, .runs = naive_runs, .reduced = false});
      if (!naive.exhausted) continue;
      const Outcomes reduced = explore_toy(make, {.preemptions = bound, .older_values = older});
      EXPECT_TRUE(reduced.exhausted);
      EXPECT_EQ(reduced.names(), naive.names()) << "bound " << bound << ", older values " << older;
      EXPECT_LE(reduced.schedules, naive.schedules) << "bound " << bound << ", older values " << older;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Random, ReductionTest, testing::Range(0u, is_full() ? 40u : 12u));

}  // namespace
}  // namespace assay
