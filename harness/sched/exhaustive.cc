#include "harness/sched/exhaustive.h"

#include <new>

#include "harness/sched/raw.h"

namespace assay {
namespace {

constexpr uint64_t bit(uint32_t lane) {
  return uint64_t{1} << lane;
}

uint32_t lowest(uint64_t lanes) {
  return static_cast<uint32_t>(__builtin_ctzll(lanes));
}

}  // namespace

Exhaustive::Exhaustive(const ExhaustiveLimits& limits)
    : limits_(limits), nodes_(static_cast<Node*>(map_zeroed(kMaxNodes * sizeof(Node)))) {
  if (nodes_ == nullptr) throw std::bad_alloc();
}

Exhaustive::~Exhaustive() {
  unmap_zeroed(nodes_, kMaxNodes * sizeof(Node));
}

void Exhaustive::begin(uint32_t lanes, uint32_t marks) {
  if (marks_.size() < marks) marks_.resize(marks);
  lanes_ = lanes;
  position_ = 0;
  spent_ = spent_values_ = 0;
  sleep_ = 0;
  redundant_ = false;
  acting_ = kNone;
  locations_.clear(lanes);
  forked_ = false;
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    fork_of_[lane] = 0;
    for (uint32_t other = 0; other < lanes; ++other) clocks_[lane].of[other] = 0;
  }
}

// The node of this place: one that was made by an earlier run, or a new one that the caller fills in (its `done` is 0).
// Null where nothing is to be tried.
Exhaustive::Node* Exhaustive::pass(Kind kind, uint32_t at, uint64_t runnable) {
  if (redundant_ || diverged_) return nullptr;
  if (position_ < depth_) {
    Node& node = nodes_[position_];
    if (node.kind == kind && node.at == at && node.runnable == runnable) {
      ++position_;
      return &node;
    }
    diverged_ = true;
    return nullptr;
  }
  if (depth_ == kMaxNodes) {
    overflowed_ = true;
    return nullptr;
  }
  Node& node = nodes_[depth_++];
  ++position_;
  node.kind = kind;
  node.at = at;
  node.runnable = runnable;
  node.done = 0;
  return &node;
}

uint32_t Exhaustive::next(const Point& point) {
  if (!point.access.matters()) return point.lane;
  Node* const node = pass(Kind::kLane, point.lane, point.runnable);
  if (node == nullptr) return point.lane;
  if (node->done == 0) {
    node->arrived = point.arrived;
    node->cost = spent_;
    node->sleep = sleep_;
    const uint64_t awake = point.runnable & ~sleep_;
    if (awake == 0) {
      // Whatever goes on from here has been seen in another order.
      redundant_ = true;
      --depth_;
      --position_;
      return point.lane;
    }
    node->chosen = (awake & bit(point.lane)) != 0 ? point.lane : lowest(awake);
    node->done = bit(node->chosen);
    node->backtrack = limits_.reduced ? node->done : point.runnable;
  }
  acting_ = position_ - 1;
  set_asleep(*node, point);
  spent_ += cost_of(*node, node->chosen);
  return node->chosen;
}

// What was tried here before need not be tried again until something conflicts with it.
void Exhaustive::set_asleep(const Node& node, const Point& point) {
  if (bounded() || !limits_.reduced) return;
  for (uint64_t lanes = node.done & ~bit(node.chosen); lanes != 0; lanes &= lanes - 1) {
    const uint32_t lane = lowest(lanes);
    sleep_ |= bit(lane);
    sleeping_[lane].address = point.next[lane].address;
    sleeping_[lane].kind = point.next[lane].kind;
  }
  sleep_ &= ~bit(node.chosen);
}

uint32_t Exhaustive::choose_value(const Point& point, uint32_t choices) {
  if (spent_values_ >= limits_.older_values) return 0;
  Node* const node = pass(Kind::kValue, point.lane, choices);
  if (node == nullptr) return 0;
  if (node->done == 0) {
    node->chosen = 0;
    node->choices = choices;
    node->cost = spent_values_;
    node->done = 1;
  }
  if (node->chosen != 0) ++spent_values_;
  return node->chosen;
}

uint32_t Exhaustive::older(const Point& point, uint32_t available) {
  return choose_value(point, available + 1);
}

bool Exhaustive::fails(const Point& point) {
  return choose_value(point, 2) != 0;
}

void Exhaustive::made(uint32_t lane, const Access& access) {
  const uint32_t node = acting_ != kNone && nodes_[acting_].chosen == lane ? acting_ : kNone;
  acting_ = kNone;
  if (!limits_.reduced || redundant_ || diverged_) return;
  for (uint64_t lanes = sleep_; lanes != 0; lanes &= lanes - 1) {
    const uint32_t other = lowest(lanes);
    if (other == lane || sleeping_[other].conflicts(access)) sleep_ &= ~bit(other);
  }
  if (access.kind == AccessKind::kFork) {
    order_fork(lane, node);
    return;
  }
  if (forked_) order_after_forks(lane);
  const auto [location, seen] = locations_.find(access.address);
  if (location == nullptr) {
    overflowed_ = true;
    return;
  }
  if (!location->used) {
    location->used = true;
    for (uint32_t i = 0; i < lanes_; ++i) {
      seen[i].write_of = seen[i].read_of = 0;
      seen[i].written = seen[i].read = 0;
    }
  }
  if (access.kind == AccessKind::kLock) location->is_lock = true;
  // A lock is given back by its holder alone: only who takes it first is a choice.
  order(seen, lane, access.writes(), !location->is_lock || access.kind == AccessKind::kLock, node);
}

// The lane has accessed the location, at this node: what of other lanes is ordered against that from now on, and what
// could have come in the other order.
void Exhaustive::order(Seen* seen, uint32_t lane, bool writes, bool races, uint32_t node) {
  Clock& clock = clocks_[lane];
  for (uint32_t other = 0; races && other < lanes_; ++other) {
    if (other == lane) continue;
    uint32_t latest = seen[other].write_of;
    if (writes && seen[other].read_of > latest) latest = seen[other].read_of;
    if (latest > clock.of[other]) race(latest - 1, lane);
  }
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (seen[i].written > clock.of[i]) clock.of[i] = seen[i].written;
    if (writes && seen[i].read > clock.of[i]) clock.of[i] = seen[i].read;
  }
  if (node != kNone) {
    clock.of[lane] = node + 1;
    if (races) (writes ? seen[lane].write_of : seen[lane].read_of) = node + 1;
  }
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (writes) {
      seen[i].written = clock.of[i];
      seen[i].read = 0;
    } else if (clock.of[i] > seen[i].read) {
      seen[i].read = clock.of[i];
    }
  }
}

// A fork conflicts with the latest access of every other lane, and knows of all that have been made.
void Exhaustive::order_fork(uint32_t lane, uint32_t node) {
  Clock& clock = clocks_[lane];
  for (uint32_t other = 0; other < lanes_; ++other) {
    const uint32_t latest = clocks_[other].of[other];
    if (other == lane || latest <= clock.of[other]) continue;
    race(latest - 1, lane);
    clock.of[other] = latest;
  }
  if (node != kNone) clock.of[lane] = fork_of_[lane] = node + 1;
  for (uint32_t i = 0; i < lanes_; ++i) at_fork_.of[i] = clock.of[i];
  forked_ = true;
}

void Exhaustive::order_after_forks(uint32_t lane) {
  Clock& clock = clocks_[lane];
  for (uint32_t other = 0; other < lanes_; ++other) {
    if (other != lane && fork_of_[other] > clock.of[other]) race(fork_of_[other] - 1, lane);
  }
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (at_fork_.of[i] > clock.of[i]) clock.of[i] = at_fork_.of[i];
  }
}

void Exhaustive::reached(uint32_t lane, uint32_t mark) {
  for (uint32_t i = 0; i < lanes_; ++i) marks_[mark].of[i] = clocks_[lane].of[i];
}

void Exhaustive::passed(uint32_t lane, uint32_t mark) {
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (marks_[mark].of[i] > clocks_[lane].of[i]) clocks_[lane].of[i] = marks_[mark].of[i];
  }
}

// The access chosen at `node` and a later one of `lane` could have been made in the other order.
void Exhaustive::race(uint32_t node, uint32_t lane) {
  add(node, lane);
  if (bounded()) add(block_start(node), lane);
}

// Where the lane that acts at the node was put on.
uint32_t Exhaustive::block_start(uint32_t node) const {
  const uint32_t lane = nodes_[node].chosen;
  while (nodes_[node].at == lane && !nodes_[node].arrived) {
    uint32_t earlier = node;
    while (earlier > 0 && nodes_[earlier - 1].kind != Kind::kLane) --earlier;
    if (earlier == 0 || nodes_[earlier - 1].chosen != lane) break;
    node = earlier - 1;
  }
  return node;
}

void Exhaustive::add(uint32_t node, uint32_t lane) {
  Node& place = nodes_[node];
  place.backtrack |= (place.runnable & bit(lane)) != 0 ? bit(lane) : place.runnable;
}

uint32_t Exhaustive::untried(const Node& node) const {
  for (uint64_t lanes = node.backtrack & node.runnable & ~node.done & ~node.sleep; lanes != 0; lanes &= lanes - 1) {
    const uint32_t lane = lowest(lanes);
    if (!bounded() || node.cost + cost_of(node, lane) <= limits_.preemptions) return lane;
  }
  return kNone;
}

bool Exhaustive::end() {
  ++runs_;
  if (redundant_) ++redundant_runs_;
  if (diverged_ || position_ < depth_) {
    diverged_ = true;
    return false;
  }
  while (depth_ > 0) {
    Node& node = nodes_[depth_ - 1];
    if (node.kind == Kind::kLane) {
      const uint32_t lane = untried(node);
      if (lane != kNone) {
        node.chosen = lane;
        node.done |= bit(lane);
        return runs_ < limits_.runs;
      }
    } else if (node.chosen + 1 < node.choices && node.cost < limits_.older_values) {
      ++node.chosen;
      return runs_ < limits_.runs;
    }
    --depth_;
  }
  exhausted_ = true;
  return false;
}

}  // namespace assay
