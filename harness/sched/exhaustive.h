// Every schedule of a program, depth first: each run follows the last one up to the deepest place where something has
// not been tried, tries it, and goes on by the default from there.
//
// Reduced, orders of accesses that do not conflict are not told apart: without a bound by dynamic partial-order
// reduction (Flanagan and Godefroid 2005) with sleep sets (Godefroid 1996); with a bound on preemptions by bounded
// partial-order reduction with conservative backtracking (Coons, Musuvathi and McKinley 2013): where two accesses race,
// the other lane is tried right before the first of them, and also where that one's lane was put on, since a preemption
// costs nothing there.
//
// Older values of loads and failing weak exchanges are tried too, up to a number of them in each schedule. Which values
// there are is the same in all orders that are not told apart.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/sched/location_table.h"
#include "harness/sched/strategy.h"

namespace assay {

struct ExhaustiveLimits {
  static constexpr uint32_t kUnbounded = ~uint32_t{0};
  uint32_t preemptions = kUnbounded;  // in each schedule
  uint32_t older_values = 0;          // older values and failing exchanges in each schedule
  uint64_t runs = ~uint64_t{0};
  bool reduced = true;
};

class Exhaustive final : public Strategy {
 public:
  explicit Exhaustive(const ExhaustiveLimits& limits);
  ~Exhaustive() override;

  void begin(uint32_t lanes, uint32_t marks) override;
  uint32_t next(const Point& point) override;
  uint32_t older(const Point& point, uint32_t available) override;
  bool fails(const Point& point) override;
  bool asks_for_older() const override { return limits_.older_values > 0; }
  void made(uint32_t lane, const Access& access) override;
  void reached(uint32_t lane, uint32_t mark) override;
  void passed(uint32_t lane, uint32_t mark) override;
  bool end() override;

  // Nothing is left to try.
  bool exhausted() const { return exhausted_; }
  uint64_t runs() const { return runs_; }
  // Runs that only repeated, in another order, what others had done.
  uint64_t redundant_runs() const { return redundant_runs_; }
  // A run did not come to the places that it had come to before: something beside the schedule decides.
  bool diverged() const { return diverged_; }
  // A run had more places than there is room for: those beyond were not tried otherwise.
  bool overflowed() const { return overflowed_; }

 private:
  static constexpr uint32_t kMaxNodes = uint32_t{1} << 20;
  static constexpr uint32_t kNone = ~uint32_t{0};

  enum class Kind : uint8_t { kLane, kValue };
  struct Node {
    Kind kind;
    bool arrived;
    uint32_t at;       // the lane that came here
    uint32_t chosen;   // lane, or how many values older
    uint32_t choices;  // of kValue: one more than the oldest
    uint32_t cost;     // spent before, of the kind's own bound
    uint64_t runnable, backtrack, done, sleep;
  };
  struct Clock {
    uint32_t of[kMaxLanes];
  };
  struct Location {
    bool used = false, is_lock = false;
  };
  // What is known of a location beside a lane.
  struct Seen {
    uint32_t write_of, read_of;  // one more than the node of its latest; 0: none
    uint32_t written, read;      // what of it the writers, and all, knew
  };

  bool bounded() const { return limits_.preemptions != ExhaustiveLimits::kUnbounded; }
  uint32_t cost_of(const Node& node, uint32_t lane) const { return lane != node.at && !node.arrived ? 1 : 0; }
  uint32_t untried(const Node& node) const;
  Node* pass(Kind kind, uint32_t at, uint64_t runnable);
  void set_asleep(const Node& node, const Point& point);
  void order(Seen* seen, uint32_t lane, bool writes, bool races, uint32_t node);
  void order_fork(uint32_t lane, uint32_t node);
  void order_after_forks(uint32_t lane);
  void race(uint32_t node, uint32_t lane);
  uint32_t block_start(uint32_t node) const;
  void add(uint32_t node, uint32_t lane);
  uint32_t choose_value(const Point& point, uint32_t choices);

  const ExhaustiveLimits limits_;
  Node* nodes_;
  uint32_t depth_ = 0;     // nodes in all
  uint32_t position_ = 0;  // nodes that this run has passed
  uint32_t spent_ = 0, spent_values_ = 0;
  uint64_t sleep_ = 0;  // lanes whose next access has been tried elsewhere, and nothing since has conflicted
  Access sleeping_[kMaxLanes];
  bool redundant_ = false;
  uint32_t acting_ = kNone;  // the node that the access at hand was chosen at
  uint32_t lanes_ = 0;
  Clock clocks_[kMaxLanes];
  std::vector<Clock> marks_;
  LocationTable<Location, Seen> locations_{kMaxLanes};
  // A fork is ordered against every access: here is what is known of those that were, in runs that have some.
  bool forked_ = false;
  uint32_t fork_of_[kMaxLanes] = {};  // one more than the node of the lane's latest; 0: none
  Clock at_fork_;                     // what the latest knew
  bool exhausted_ = false, diverged_ = false, overflowed_ = false;
  uint64_t runs_ = 0, redundant_runs_ = 0;
};

}  // namespace assay
