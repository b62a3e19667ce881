#include "harness/sched/scheduler.h"

#include <new>
#include <stdexcept>

namespace assay {
namespace {

// Room for the subject and a sanitizer's frames.
constexpr size_t kStackBytes = size_t{1} << 20;

// The lane that the calling thread is. In a forked child it knows no scheduler.
__thread void* current = nullptr;

uint64_t read_word(const void* address, size_t size) {
  switch (size) {
    case 1: return __atomic_load_n(static_cast<const uint8_t*>(address), __ATOMIC_RELAXED);
    case 2: return __atomic_load_n(static_cast<const uint16_t*>(address), __ATOMIC_RELAXED);
    case 4: return __atomic_load_n(static_cast<const uint32_t*>(address), __ATOMIC_RELAXED);
    default: return __atomic_load_n(static_cast<const uint64_t*>(address), __ATOMIC_RELAXED);
  }
}

// Marks of all that lies where make a sum that tells one state of memory from another.
uint64_t mark_of(const void* address, uint64_t value) {
  uint64_t mark = (reinterpret_cast<uintptr_t>(address) ^ value * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  mark = (mark ^ mark >> 32) * 0x94d049bb133111eb;
  return mark ^ mark >> 29;
}

}  // namespace

Scheduler::Scheduler()
    : lanes_(static_cast<Lane*>(map_wiped_on_fork(kMaxLanes * sizeof(Lane)))),
      next_(static_cast<Access*>(map_zeroed(kMaxLanes * sizeof(Access)))) {
  if (lanes_ == nullptr || next_ == nullptr) throw std::bad_alloc();
}

Scheduler::~Scheduler() {
  if (lanes_ == nullptr) return;
  for (uint32_t i = 0; i < kMaxLanes; ++i) {
    Lane& lane = lanes_[i];
    if (lane.has_thread) end_thread(lane.thread, lane, lane.token);
    if (lane.has_watcher) end_thread(lane.watcher, lane, lane.watch);
  }
  unmap_zeroed(lanes_, kMaxLanes * sizeof(Lane));
  unmap_zeroed(next_, kMaxLanes * sizeof(Access));
}

// A thread that waits for something to do finds that there is no scheduler any more.
void Scheduler::end_thread(pthread_t thread, Lane& lane, Token& token) {
  lane.scheduler = nullptr;
  token.give();
  pthread_join(thread, nullptr);
}

void Scheduler::abandon() {
  lanes_ = static_cast<Lane*>(map_wiped_on_fork(kMaxLanes * sizeof(Lane)));
  next_ = static_cast<Access*>(map_zeroed(kMaxLanes * sizeof(Access)));
  done_.word = 0;
  if (lanes_ == nullptr || next_ == nullptr) throw std::bad_alloc();
}

const AccessHooks& Scheduler::hooks() const {
  static constexpr AccessHooks kHooks = {&before, &after};
  return kHooks;
}

void Scheduler::start_thread(Lane& lane) {
  if (!lane.has_watcher) {
    if (pthread_create(&lane.watcher, nullptr, enter_watcher, &lane) != 0) {
      throw std::runtime_error("the system gives no more threads");
    }
    lane.has_watcher = true;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error = pthread_create(&lane.thread, &attributes, enter, &lane);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::runtime_error("the system gives no more threads");
  lane.has_thread = true;
}

RunEnd Scheduler::run(ScheduledBody& body, uint32_t lanes, uint32_t marks, const uint32_t* threads,
                      const volatile uint8_t* gate, Strategy& strategy, ScheduleRecord& record) {
  body_ = &body;
  lane_count_ = lanes;
  threads_ = threads;
  gate_ = gate;
  strategy_ = &strategy;
  record_ = &record;
  record.clear();
  history_.begin(lanes, marks);
  strategy.begin(lanes, marks);
  end_ = RunEnd::kDone;
  awaited_ = alone_ = true;
  memory_ = 0;
  older_values_ = 0;
  keeps_old_ = strategy.asks_for_older();
  for (uint32_t i = 0; i < lanes; ++i) {
    Lane& lane = lanes_[i];
    lane.scheduler = this;
    // What it waits for, if anything, is known before it has begun.
    lane.state = State::kWaiting;
    lane.chosen = lane.moved = false;
    lane.place = {};
    next_[i] = {};
    if (!lane.has_thread) start_thread(lane);
  }
  announce_release(&start_);
  put_on(0, false);
  done_.take();
  announce_acquire(this);
  return end_;
}

void* Scheduler::enter(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  current = argument;
  while (true) {
    lane.token.take();
    if (lane.scheduler == nullptr) return nullptr;
    Scheduler& self = *lane.scheduler;
    announce_acquire(&self.start_);
    if (self.body_->live(self.index(lane))) break;
    announce_release(&self);
    self.lane_ended(lane);
  }
  // From here the thread ends, and what its end does is still the schedule's; the watcher says when it is over.
  lane.watch.give();
  return nullptr;
}

void* Scheduler::enter_watcher(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  while (true) {
    lane.watch.take();
    if (lane.scheduler == nullptr) return nullptr;
    pthread_join(lane.thread, nullptr);
    lane.has_thread = false;
    announce_release(lane.scheduler);
    lane.scheduler->lane_ended(lane);
  }
}

void Scheduler::lane_ended(Lane& lane) {
  lane.state = State::kEnded;
  awaited_ = true;
  body_->ended(index(lane));
  if (put_on_lowest()) return;
  for (uint32_t i = 0; i < lane_count_; ++i) {
    if (lanes_[i].state != State::kEnded) return finish(RunEnd::kDeadlock);
  }
  finish(RunEnd::kDone);
}

void Scheduler::finish(RunEnd end) {
  end_ = end;
  done_.give();
}

bool Scheduler::at_lock(const Lane& lane) {
  return lane.state == State::kAtAccess && lane.access.kind == AccessKind::kLock &&
         read_word(lane.access.address, sizeof(uint32_t)) != 0;
}

// It would find what it has found. (A lock that has been taken and given back since is as it was: else two who wait for
// a third one would put each other on for ever.)
bool Scheduler::at_yield(const Lane& lane) const {
  return lane.state == State::kAtAccess && lane.access.kind == AccessKind::kYield && lane.memory_seen == memory_;
}

bool Scheduler::past_waiting(uint32_t index) const {
  switch (lanes_[index].state) {
    case State::kFresh:
    case State::kAtAccess: return true;
    case State::kWaiting: return body_->may_go_on(index);
    case State::kEnded: return false;
  }
  return false;
}

uint64_t Scheduler::runnable_lanes() {
  if (awaited_) {
    awaited_ = false;
    ready_ = 0;
    for (uint32_t i = 0; i < lane_count_; ++i) ready_ |= uint64_t{past_waiting(i)} << i;
  }
  uint64_t runnable = ready_, yielding = 0;
  for (uint64_t lanes = ready_; lanes != 0; lanes &= lanes - 1) {
    const Lane& lane = lanes_[__builtin_ctzll(lanes)];
    if (at_lock(lane)) {
      runnable &= ~(lanes & -lanes);
    } else if (at_yield(lane)) {
      yielding |= lanes & -lanes;
    }
  }
  // Who waits for what nobody will do finds out by himself.
  return runnable == yielding ? runnable : runnable & ~yielding;
}

Point Scheduler::point(const Lane& lane, uint64_t runnable) const {
  Point point;
  point.lane = index(lane);
  point.place = lane.place;
  point.access = lane.access;
  point.runnable = runnable;
  point.arrived = !lane.moved;
  point.next = next_;
  point.thread = threads_;
  return point;
}

// Returns when the lane may make the access that it has come to.
void Scheduler::decide(Lane& lane) {
  const uint32_t me = index(lane);
  lane.state = State::kAtAccess;
  next_[me] = lane.access;
  while (true) {
    const uint64_t lanes = runnable_lanes();
    if ((lanes >> me & 1) == 0) {
      if (sites_ != nullptr && lane.pc != nullptr) sites_->add(lane.pc);
      give_up_turn(lane);
      continue;
    }
    if (lanes == uint64_t{1} << me) return;
    alone_ = false;
    ++record_->choice_points;
    if (sites_ != nullptr && lane.pc != nullptr) sites_->add(lane.pc);
    const uint32_t next = strategy_->next(point(lane, lanes));
    if (next == me) return;
    record_->add(ScheduleKind::kPreempt, threads_[me], lane.place.line, lane.place.member, lane.place.access,
                 threads_[next]);
    if (lane.moved) ++record_->preemptions;
    body_->stopped(me);
    put_on(next, true);
    sleep(lane);
    // Who was chosen makes its access now; who was put on because nobody else could go on may be preempted first.
    if (lane.chosen) return;
  }
}

void Scheduler::put_on(uint32_t next, bool chosen) {
  Lane& lane = lanes_[next];
  lane.chosen = chosen;
  lane.moved = false;
  lane.token.give();
}

void Scheduler::sleep(Lane& lane) {
  lane.token.take();
  awaited_ = true;
  body_->put_on(index(lane));
}

bool Scheduler::put_on_lowest() {
  const uint64_t lanes = runnable_lanes();
  if (lanes == 0) return false;
  put_on(static_cast<uint32_t>(__builtin_ctzll(lanes)), false);
  return true;
}

// The lane cannot go on: the lowest that can does.
void Scheduler::give_up_turn(Lane& lane) {
  awaited_ = true;
  body_->stopped(index(lane));
  if (!put_on_lowest()) {
    finish(RunEnd::kDeadlock);
    sleep_for_ever();
  }
  sleep(lane);
}

void Scheduler::sleep_for_ever() {
  Token never;
  while (true) never.take();
}

void Scheduler::stop() {
  finish(RunEnd::kStopped);
  sleep_for_ever();
}

void Scheduler::begin_operation(uint32_t lane_index, uint64_t line, uint64_t member, bool opaque) {
  Lane& lane = lanes_[lane_index];
  lane.place = {line, member, 0};
  lane.access = opaque ? Access{&start_, AccessKind::kExchange} : Access{};
  lane.pc = nullptr;
  awaited_ = true;
  decide(lane);
  if (!opaque) return;
  lane.moved = true;
  made(lane);
}

void Scheduler::begin_fork(uint32_t lane_index) {
  Lane& lane = lanes_[lane_index];
  ++lane.place.access;
  lane.access = {nullptr, AccessKind::kFork};
  decide(lane);
  lane.moved = true;
  made(lane);
}

void Scheduler::made(const Lane& lane) {
  if (!alone_) strategy_->made(index(lane), lane.access);
}

void Scheduler::wait(uint32_t lane_index) {
  Lane& lane = lanes_[lane_index];
  while (!body_->may_go_on(lane_index)) {
    lane.state = State::kWaiting;
    next_[lane_index] = {};
    give_up_turn(lane);
  }
  lane.state = State::kFresh;
  awaited_ = true;
}

void Scheduler::reach(uint32_t lane, uint32_t mark) {
  awaited_ = true;
  history_.reached(lane, mark);
  strategy_->reached(lane, mark);
}

void Scheduler::pass(uint32_t lane, uint32_t mark) {
  history_.passed(lane, mark);
  strategy_->passed(lane, mark);
}

void Scheduler::order_system_call(const Lane& lane, int order) {
  if (order == __ATOMIC_RELEASE) history_.gave_back(index(lane));
  if (order == __ATOMIC_ACQUIRE) history_.was_given(index(lane));
}

bool Scheduler::before(const void* address, size_t size, int kind, int order) {
  if (current == nullptr) return false;
  Lane& lane = *static_cast<Lane*>(current);
  if (lane.scheduler == nullptr) return false;
  Scheduler& self = *lane.scheduler;
  if (*self.gate_ == 0) {
    if (kind == static_cast<int>(AccessKind::kSystemCall)) self.order_system_call(lane, order);
    if (kind != static_cast<int>(AccessKind::kLock) || read_word(address, sizeof(uint32_t)) == 0) return false;
    self.finish(RunEnd::kOutside);
    self.sleep_for_ever();
  }
  ++lane.place.access;
  lane.access = {address, static_cast<AccessKind>(kind)};
  lane.pc = __builtin_return_address(0);
  lane.size = size;
  lane.order = order;
  lane.memory_seen = self.memory_;
  if (++self.record_->accesses > kMaxAccesses) {
    self.finish(RunEnd::kLivelock);
    self.sleep_for_ever();
  }
  self.decide(lane);
  lane.moved = true;
  if (lane.access.kind == AccessKind::kYield) return false;
  if (lane.access.kind == AccessKind::kStore) lane.found = read_word(address, size);
  if (lane.access.kind == AccessKind::kSystemCall) {
    self.order_system_call(lane, order);
    self.made(lane);
    return false;
  }
  if (lane.access.kind != AccessKind::kCompareExchangeWeak) return false;
  const bool fails = self.strategy_->fails(self.point(lane, 0));
  if (fails) {
    self.record_->add(ScheduleKind::kCasFails, self.threads_[self.index(lane)], lane.place.line, lane.place.member,
                      lane.place.access, 0);
  }
  return fails;
}

uint64_t Scheduler::after(bool wrote, uint64_t before, uint64_t now) {
  if (current == nullptr) return before;
  Lane& lane = *static_cast<Lane*>(current);
  if (lane.scheduler == nullptr) return before;
  Scheduler& self = *lane.scheduler;
  if (*self.gate_ == 0) return before;
  const uint32_t me = self.index(lane);
  if (wrote) {
    const uint64_t found = lane.access.kind == AccessKind::kStore ? lane.found : before;
    self.memory_ ^= mark_of(lane.access.address, found) ^ mark_of(lane.access.address, now);
  }
  self.made(lane);
  if (self.alone_ || !self.keeps_old_) return before;
  const void* const address = lane.access.address;
  if (wrote) {
    const bool exchange = lane.access.kind != AccessKind::kStore;
    self.history_.store(me, address, exchange ? before : lane.found, now, exchange, lane.order);
    return before;
  }
  if (lane.access.kind != AccessKind::kLoad) {
    // An exchange that failed is a relaxed load of the newest value.
    self.history_.load(me, address, before, 0, __ATOMIC_RELAXED);
    return before;
  }
  const uint32_t available = self.history_.available(me, address, before, lane.order);
  uint32_t older = 0;
  if (available > 0) {
    ++self.record_->choice_points;
    older = self.strategy_->older(self.point(lane, 0), available);
    if (older > 0) {
      ++self.older_values_;
      self.record_->add(ScheduleKind::kStale, self.threads_[me], lane.place.line, lane.place.member, lane.place.access,
                        older);
    }
  }
  return self.history_.load(me, address, before, older, lane.order);
}

}  // namespace assay
