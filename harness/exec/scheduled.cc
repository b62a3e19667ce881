#include "harness/exec/scheduled.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>

#include "harness/exec/breakpoint.h"
#include "harness/exec/destructor.h"
#include "harness/exec/step_text.h"
#include "harness/oracle/describe.h"
#include "harness/oracle/footprint.h"
#include "harness/sched/replay_schedule.h"

namespace assay {

ScheduledExecutor::ScheduledExecutor(const Program& program, const Subject& subject, const RunOptions& options,
                                     Scheduler& scheduler)
    : subject_(subject),
      order_(program),
      options_(options),
      progress_(options.progress != nullptr ? options.progress : &own_progress_),
      scheduler_(scheduler),
      mark_of_(order_.size()),
      done_(order_.size()) {
  options_.progress = progress_;
  make_lanes();
  // One thread runs at a time: on one processor a hand-off need not wake another one.
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  sched_setaffinity(0, sizeof here, &here);
}

ScheduledExecutor::~ScheduledExecutor() = default;

// A lane ends with the thread_exit() of its thread; what the thread does after that is another lane.
void ScheduledExecutor::make_lanes() {
  for (uint32_t thread = 0; thread < order_.thread_count(); ++thread) {
    if (thread != 0 && order_.of_thread(thread).empty()) continue;
    lanes_.emplace_back();
    threads_.push_back(thread);
    bool ended = false;
    for (const uint32_t step : order_.of_thread(thread)) {
      if (ended) {
        lanes_.emplace_back();
        threads_.push_back(thread);
        lanes_.back().previous = static_cast<uint32_t>(lanes_.size() - 2);
      }
      lanes_.back().steps.push_back(step);
      if (order_.is_awaited(step)) mark_of_[step] = marks_++;
      ended = thread != 0 && order_.step(step).code == OpCode::kThreadExit;
    }
    if (lanes_.size() > kMaxLanes) {
      throw InputError{
          fmt::format("too many threads for a schedule: at most {}, each exit begins another one", kMaxLanes)};
    }
  }
}

void ScheduledExecutor::set_hooks(const AccessHooks* hooks) const {
  if (subject_.instruments().set_access_hooks != nullptr) subject_.instruments().set_access_hooks(hooks);
}

void ScheduledExecutor::prepare() {
  result_ = {};
  seam_.emplace();
  ledger_.emplace();
  ledger_->seam = &*seam_;
  ledger_->older_values = &scheduler_.older_values();
  // A race detector takes the harness's looks at other threads' blocks for the program's.
  ledger_->concurrent = __tsan_acquire != nullptr;
  heap_.clear();
  heap_.make_room(order_.slot_count(), order_.heaps_made());
  reuse_.start();
  baseline_.measure(subject_);
  if (subject_.instruments().reset != nullptr) subject_.instruments().reset();
  seam_->start(subject_, heap_, options_.os_calls, options_.came_failures);
  for (uint8_t& done : done_) done = 0;
  left_ = static_cast<uint32_t>(order_.size());
  for (Lane& lane : lanes_) {
    lane.awaited = !lane.steps.empty()      ? Awaited::kStep
                   : &lane == lanes_.data() ? Awaited::kOtherLanes
                                            : Awaited::kAllSteps;
    lane.step = lane.steps.empty() ? 0 : lane.steps.front();
    lane.executor = this;
    lane.next = 0;
    lane.in_destructor = false;
    lane.leaves = false;
    lane.operations.emplace(subject_, options_, heap_, reuse_, result_, *ledger_);
  }
}

RunResult ScheduledExecutor::run(Strategy& strategy, ScheduleRecord& record) {
  prepare();
  set_hooks(&scheduler_.hooks());
  const RunEnd end =
      scheduler_.run(*this, static_cast<uint32_t>(lanes_.size()), marks_ + static_cast<uint32_t>(lanes_.size()),
                     threads_.data(), &progress_->in_call, strategy, record);
  set_hooks(nullptr);
  if (end == RunEnd::kDeadlock || end == RunEnd::kLivelock) describe_end(end);
  if (end != RunEnd::kDone) scheduler_.abandon();
  if (end == RunEnd::kOutside) {
    throw std::runtime_error(fmt::format(
        "near op {} the tester called the subject outside of the schedule, where a stopped thread holds a lock",
        progress_->line));
  }
  result_.os_calls = seam_->calls();
  result_.failed_os_calls = seam_->failed();
  seam_->stop();
  return result_;
}

bool ScheduledExecutor::may_go_on(uint32_t index) {
  const Lane& lane = lanes_[index];
  switch (lane.awaited) {
    case Awaited::kStep:
      for (const uint32_t before : order_.waits_for(lane.step)) {
        if (done_[before] == 0) return false;
      }
      return lane.previous == kNoLane || scheduler_.ended(lane.previous);
    case Awaited::kAllSteps:
      if (left_ != 0) return false;
      // What an operation that ends a thread does may be stopped while it holds a lock of the subject's, and the end of
      // this lane, which no schedule knows of, would wait for it for ever.
      for (uint32_t other = 1; other < lanes_.size(); ++other) {
        if (lanes_[other].leaves) return false;
      }
      return true;
    case Awaited::kOtherLanes:
      for (uint32_t other = 1; other < lanes_.size(); ++other) {
        if (!scheduler_.ended(other)) return false;
      }
      return true;
  }
  return true;
}

void ScheduledExecutor::stopped(uint32_t lane) {
  Progress& saved = lanes_[lane].saved;
  saved.line = progress_->line;
  saved.member = progress_->member;
  saved.op_code = progress_->op_code;
  saved.in_subject = progress_->in_subject;
  saved.in_call = progress_->in_call;
  saved.thread_id = progress_->thread_id;
}

void ScheduledExecutor::put_on(uint32_t lane) {
  const Progress& saved = lanes_[lane].saved;
  progress_->line = saved.line;
  progress_->member = saved.member;
  progress_->op_code = saved.op_code;
  progress_->in_subject = saved.in_subject;
  progress_->in_call = saved.in_call;
  progress_->thread_id = saved.thread_id;
}

void ScheduledExecutor::ended(uint32_t lane) {
  left(lanes_[lane]);
  scheduler_.reach(lane, end_mark(lane));
  // What the lane's end did is before whoever waited for that.
  announce_release(&lanes_[lane]);
}

void ScheduledExecutor::wait_for_turn(uint32_t index, uint32_t step, bool first) {
  Lane& lane = lanes_[index];
  lane.awaited = Awaited::kStep;
  lane.step = step;
  scheduler_.wait(index);
  for (const uint32_t before : order_.waits_for(step)) {
    scheduler_.pass(index, mark_of_[before]);
    announce_acquire(&done_[before]);
  }
  if (first && lane.previous != kNoLane) {
    scheduler_.pass(index, end_mark(lane.previous));
    announce_acquire(&lanes_[lane.previous]);
  }
}

bool ScheduledExecutor::live(uint32_t index) {
  progress_->thread_id = static_cast<int32_t>(raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0));
  return go_on(index);
}

void ScheduledExecutor::live_in_destructor(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  lane.executor->left(lane);
  lane.in_destructor = true;
  static_cast<void>(lane.executor->go_on(static_cast<uint32_t>(&lane - lane.executor->lanes_.data())));
}

bool ScheduledExecutor::go_on(uint32_t index) {
  Lane& lane = lanes_[index];
  progress_->in_call = 0;
  progress_->in_subject = 0;
  inside_subject = false;
  Operations& operations = *lane.operations;
  while (lane.next < lane.steps.size()) {
    const size_t i = lane.next++;
    const Step& step = order_.step(lane.steps[i]);
    wait_for_turn(index, lane.steps[i], i == 0);
    const bool opaque = subject_.instruments().set_access_hooks == nullptr;
    scheduler_.begin_operation(index, step.line, step.member, opaque);
    if (step.code == OpCode::kFork && !opaque) scheduler_.begin_fork(index);
    if (options_.print_steps) print_step(step);
    if (step.line == options_.break_at_line && step.member == options_.break_at_member) assay_breakpoint();
    if (!operations.run(step)) scheduler_.stop();
    done_[lane.steps[i]] = 1;
    --left_;
    scheduler_.progressed();
    if (order_.is_awaited(lane.steps[i])) scheduler_.reach(index, mark_of_[lane.steps[i]]);
    announce_release(&done_[lane.steps[i]]);
    // What the thread's end does to the subject is part of the operation; so is the subject's own destructor, which may
    // come before the next of ours.
    if (index != 0 && step.code == OpCode::kThreadExit) return leave(lane);
    if (goes_on_in_destructor(step)) {
      go_on_in_destructor(live_in_destructor, &lane);
      return leave(lane);
    }
  }
  lane.awaited = index == 0 ? Awaited::kOtherLanes : Awaited::kAllSteps;
  scheduler_.wait(index);
  if (index == 0) {
    set_hooks(nullptr);
    announce_acquire(&scheduler_);
    if (!finish(operations)) scheduler_.stop();
    set_hooks(&scheduler_.hooks());
  }
  return end_lane(lane);
}

// Until it has left, the subject's structure is not in order.
bool ScheduledExecutor::leave(Lane& lane) {
  lane.leaves = true;
  ++ledger_->under_way;
  progress_->in_subject = kInSubject;
  progress_->in_call = 1;
  inside_subject = true;
  return true;
}

void ScheduledExecutor::left(Lane& lane) {
  if (lane.leaves) --ledger_->under_way;
  lane.leaves = false;
}

// Lanes that no exit ends do so one after the other, outside of the schedule: where the subject can be told that a
// thread has ended, it need not end, and the next run need not start one. True when it has to, or does so already.
bool ScheduledExecutor::end_lane(const Lane& lane) {
  progress_->in_call = 0;
  const bool ends_already = lane.in_destructor;
  if (!ends_already && subject_.instruments().end_thread != nullptr) {
    progress_->in_subject = kInSubject;
    subject_.instruments().end_thread();
    progress_->in_subject = 0;
    return false;
  }
  // In a destructor the scheduler has no part any more in what this lane did last.
  announce_release(&scheduler_);
  return true;
}

bool ScheduledExecutor::finish(Operations& operations) {
  operations.begin_end(order_.end_fails());
  return operations.check_and_free_all() &&
         (!has_footprint(subject_) || operations.check_footprint_against(baseline_.warmed_up()));
}

std::string ScheduledExecutor::position(uint32_t index) const {
  const Lane& lane = lanes_[index];
  if (!scheduler_.waits(index)) {
    const AccessPlace place = scheduler_.place(index);
    return fmt::format("{} op {}, access {}", scheduler_.waits_for_lock(index) ? "at a lock" : "in", place.line,
                       place.access);
  }
  if (lane.awaited == Awaited::kStep) return fmt::format("waiting to begin op {}", order_.step(lane.step).line);
  return "waiting for the other threads";
}

void ScheduledExecutor::describe_end(RunEnd end) {
  Violation& violation = result_.violation;
  violation.oracle = Oracle::kHang;
  std::string where;
  for (uint32_t i = 0; i < lanes_.size(); ++i) {
    if (scheduler_.ended(i)) continue;
    const AccessPlace place = scheduler_.place(i);
    if (violation.line == kNoOperation && !scheduler_.waits(i)) {
      violation.line = place.line;
      violation.member = place.member;
    }
    where += fmt::format("{}t{} {}", where.empty() ? "" : "; ", threads_[i], position(i));
  }
  if (end == RunEnd::kDeadlock) {
    describe(violation.sentence, "deadlock: no thread can go on");
    describe(violation.expected, "a thread that can run, or the end of all");
  } else {
    describe(violation.sentence, "livelock: {} accesses and no end", Scheduler::kMaxAccesses);
    describe(violation.expected, "an end");
  }
  describe(violation.seen, "{}", where);
}

namespace {

// Accesses can be counted only where the subject tells of them; before an operation any thread can be stopped.
void refuse_unseen_accesses(const std::vector<ScheduleEvent>& events, const Subject& subject) {
  if (subject.instruments().set_access_hooks != nullptr) return;
  for (const ScheduleEvent& event : events) {
    if (event.access == 0) continue;
    throw InputError{fmt::format(
        "op {}, access {}: {} does not tell of its accesses here, so that only what happens "
        "before an operation (access 0) can be scheduled{}",
        event.line, event.access, subject.name(), subject.path().empty() ? "; flavours sched and fuzz-sched do" : "")};
  }
}

// Its threads are kept from one program to the next, since most of a short program's time would be their birth.
Scheduler& kept_scheduler() {
  static Scheduler* scheduler = nullptr;
  static pid_t process = 0;
  // A forked child has none of its parent's threads. Never destroyed: threads that were left behind may outlive main.
  if (scheduler == nullptr || process != getpid()) scheduler = new Scheduler;
  process = getpid();
  return *scheduler;
}

}  // namespace

RunResult run_scheduled(const Program& program, const Subject& subject, const RunOptions& options,
                        ScheduleRecord& record) {
  const std::vector<ScheduleEvent> events = schedule_of(program);
  refuse_unseen_accesses(events, subject);
  ReplaySchedule schedule(events);
  ScheduledExecutor executor(program, subject, options, kept_scheduler());
  const RunResult result = executor.run(schedule, record);
  record.skipped = schedule.skipped();
  return result;
}

}  // namespace assay
