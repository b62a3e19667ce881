// run_free: a lane for each logical thread. t0 is the thread that asks. A lane lives as several real threads where the
// program ends it and goes on: each starts the next right before it ends, and that one begins by joining it, so that
// nobody else has a part in the order of the two. Threads whose end the program does not say are kept for the next
// program where nobody looks closely, and the subject can be told that they have ended, and begins afresh.
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "harness/exec/baseline.h"
#include "harness/exec/breakpoint.h"
#include "harness/exec/destructor.h"
#include "harness/exec/done_flag.h"
#include "harness/exec/kept_threads.h"
#include "harness/exec/operations.h"
#include "harness/exec/order.h"
#include "harness/exec/real_thread.h"
#include "harness/exec/step_text.h"
#include "harness/exec/thread_progress.h"
#include "harness/model/mapped_array.h"

namespace assay {
namespace {

// A thread that waits for so long looks who keeps it waiting, for the watchdog's report.
constexpr int kSleepsBeforeLooking = 20;
// After a violation the other threads may finish the call that they are in; what is stuck is left behind.
constexpr int kMsToCalmDown = 1000;

// A program of more threads keeps none: they would be there for nobody.
constexpr uint32_t kMostKept = 16;

struct Workspace {
  ShadowHeap heap;
  Baseline baseline;
  KeptThreads threads;
  SignalStack signal_stack;  // of t0
};

Workspace& workspace() {
  // Never destroyed: threads that are left behind may outlive main.
  static Workspace* const space = new (map_pages(sizeof(Workspace))) Workspace;
  return *space;
}

class FreeRun;

struct Lane {
  FreeRun* run = nullptr;
  uint32_t thread = 0;
  std::span<const uint32_t> steps;
  size_t next = 0;
  RunOptions options;
  RunResult result;
  Ledger ledger;
  Progress progress;
  ReuseTable reuse;
  std::optional<Operations> operations;
  KeptThread* real = nullptr;         // that lives the lane, or did until `ended`
  KeptThread* predecessor = nullptr;  // to be joined before anything else
  bool is_kept = false;               // `real` waits for the next program
  DoneFlag ended;                     // no real thread follows `real`
};

class FreeRun {
 public:
  FreeRun(const Program& program, const Subject& subject, const RunOptions& options)
      : order_(program),
        subject_(subject),
        options_(options),
        space_(workspace()),
        keeps_threads_(options.strictness == Strictness::kSampled && order_.thread_count() <= kMostKept &&
                       subject.instruments().end_thread != nullptr && subject.instruments().reset != nullptr),
        done_(order_.size()) {}

  RunResult run() {
    prepare();
    start_threads();
    run_steps(*lanes_[0]);
    join_threads();
    if (!stopped()) finish();
    if (stopped()) calm_down();
    if (options_.progress != nullptr) options_.progress->in_subject = 0;
    progress_of_this_thread = nullptr;
    rethrow_error();
    return merged();
  }

  // Threads were left behind that still refer to it.
  bool left_threads_behind() const { return stopped(); }

 private:
  void prepare() {
    space_.heap.clear();
    space_.baseline.measure(subject_);
    if (subject_.instruments().reset != nullptr) subject_.instruments().reset();
    space_.heap.share(order_.slot_count(), order_.heaps_made());
    seam_.start(subject_, space_.heap, nullptr, options_.came_failures);
    // Which thread is in the subject, and with what, is known to the threads only; some are nearly always.
    if (options_.progress != nullptr) options_.progress->in_subject = kInSubject;
    for (uint32_t thread = 0; thread < order_.thread_count(); ++thread) {
      auto lane = std::make_unique<Lane>();
      lane->run = this;
      lane->thread = thread;
      lane->steps = order_.of_thread(thread);
      lane->options = options_;
      lane->options.progress = &lane->progress;
      lane->ledger.serial = uint64_t{thread} << 32;
      lane->ledger.concurrent = true;
      lane->ledger.seam = &seam_;
      lane->operations.emplace(subject_, lane->options, space_.heap, lane->reuse, lane->result, lane->ledger);
      lanes_.push_back(std::move(lane));
    }
  }

  void start_threads() {
    for (const auto& lane : lanes_) {
      if (lane->thread == 0 || lane->steps.empty()) continue;
      try {
        space_.threads.start(enter, lane.get());
      } catch (...) {
        stop_with_error();
        lane->steps = {};
        break;
      }
    }
    space_.signal_stack.install();
    enter_lane(*lanes_[0]);
    all_started_.set();
  }

  static bool enter(KeptThread& real, void* argument) {
    Lane& lane = *static_cast<Lane*>(argument);
    lane.real = &real;
    return lane.run->live(lane);
  }

  static void enter_lane(Lane& lane) {
    lane.progress.thread_id = static_cast<int32_t>(syscall(SYS_gettid));
    progress_of_this_thread = &lane.progress;
  }

  bool live(Lane& lane) {
    enter_lane(lane);
    if (lane.predecessor != nullptr) {
      KeptThreads::join(*lane.predecessor);
      lane.predecessor = nullptr;
      publish(lane.steps[lane.next - 1]);
    } else if (!wait_for(all_started_)) {
      park();
    }
    return go_on(lane);
  }

  static void enter_destructor(void* argument) {
    Lane& lane = *static_cast<Lane*>(argument);
    lane.progress.in_subject = 0;
    inside_subject = false;
    // Done only now: on the way here the subject may have been told that the thread ends.
    lane.run->publish(lane.steps[lane.next - 1]);
    static_cast<void>(lane.run->go_on(lane));
  }

  // Whether the thread is kept. If so, the lane and the run may be gone when this returns.
  bool go_on(Lane& lane) {
    switch (run_steps(lane)) {
      case Next::kDestructor:
        // The subject's own destructor may come first.
        lane.progress.in_subject = kInSubject;
        inside_subject = true;
        go_on_in_destructor(enter_destructor, &lane);
        return false;
      case Next::kAnotherThread:
        lane.predecessor = lane.real;
        if (start_successor(lane)) {
          inside_subject = true;
          return false;
        }
        break;
      case Next::kEnd:
        if (keep(lane)) return true;
        break;
    }
    lane.ended.set();
    show_who_is_busy();
    inside_subject = true;
    return false;
  }

  bool keep(Lane& lane) {
    const bool exits = lane.next > 0 && order_.step(lane.steps[lane.next - 1]).code == OpCode::kThreadExit;
    if (!keeps_threads_ || exits || in_destructor()) return false;
    lane.progress.in_subject = kInSubject;
    subject_.instruments().end_thread();
    lane.progress.in_subject = 0;
    progress_of_this_thread = nullptr;
    show_who_is_busy();
    lane.is_kept = true;
    lane.ended.set();
    return true;
  }

  static bool start_successor(Lane& lane) {
    try {
      KeptThreads::start_another(enter, &lane);
      return true;
    } catch (...) {
      lane.run->stop_with_error();
      return false;
    }
  }

  // Where a lane goes on when run_steps() has returned.
  enum class Next : uint8_t { kEnd, kAnotherThread, kDestructor };

  // Runs the lane's steps up to one after which the thread has to leave its body.
  Next run_steps(Lane& lane) {
    while (lane.next < lane.steps.size()) {
      const uint32_t index = lane.steps[lane.next];
      const Step& step = order_.step(index);
      if (!may_run(index)) {
        if (lane.thread == 0) return Next::kEnd;
        park();
      }
      tell(step);
      if (options_.print_steps) print_step(step);
      if (step.line == options_.break_at_line && step.member == options_.break_at_member) assay_breakpoint();
      if (!lane.operations->run(step)) {
        stop_with(lane);
        if (lane.thread == 0) return Next::kEnd;
        park();
      }
      ++lane.next;
      if (step.code == OpCode::kThreadExit && lane.thread != 0) {
        // Done only when the thread has ended, which whoever joins it will know.
        if (lane.next < lane.steps.size() || order_.is_awaited(index)) return Next::kAnotherThread;
        continue;
      }
      if (goes_on_in_destructor(step)) return Next::kDestructor;
      publish(index);
    }
    if (const auto alone = order_.last_alone(); alone && !wait_for(done_[*alone]) && lane.thread != 0) park();
    return Next::kEnd;
  }

  // Waits for all that must come before. False when the run has been stopped.
  bool may_run(uint32_t index) {
    for (const uint32_t before : order_.waits_for(index)) {
      if (!wait_for(done_[before])) return false;
    }
    return !stopped();
  }

  bool wait_for(DoneFlag& flag) {
    for (int sleeps = 1; !flag.wait_a_while(); ++sleeps) {
      if (stopped()) return false;
      if (sleeps % kSleepsBeforeLooking == 0) show_who_is_busy();
    }
    return true;
  }

  void publish(uint32_t index) {
    if (order_.is_awaited(index)) done_[index].set();
  }

  void join_threads() {
    for (const auto& lane : lanes_) {
      if (lane->thread == 0 || lane->steps.empty()) continue;
      if (!wait_for(lane->ended)) return;
      if (lane->is_kept) {
        space_.threads.take_back(*lane->real);
      } else {
        KeptThreads::join(*lane->real);
      }
    }
  }

  void finish() {
    Lane& lane = *lanes_[0];
    lane.operations->begin_end(order_.end_fails());
    if (options_.progress != nullptr) options_.progress->line = kNoOperation;
    lane.ledger.concurrent = false;
    lane.ledger.several = order_.thread_count() > 1;
    const bool right = lane.operations->check_and_free_all() &&
                       (!has_footprint(subject_) || options_.strictness != Strictness::kStrict ||
                        lane.operations->check_footprint_against(space_.baseline.warmed_up()));
    if (!right) stop_with(lane);
  }

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  // The first one counts.
  void stop_with(const Lane& lane) {
    const std::lock_guard guard(stop_lock_);
    if (!stopped()) violation_ = lane.result.violation;
    stopped_.store(true, std::memory_order_relaxed);
  }

  void stop_with_error() {
    const std::lock_guard guard(stop_lock_);
    if (!stopped()) error_ = std::current_exception();
    stopped_.store(true, std::memory_order_relaxed);
  }

  // The heap is broken: what an exit would tear down stays as it is.
  [[noreturn]] void park() {
    parked_.fetch_add(1, std::memory_order_relaxed);
    while (true) pause();
  }

  void calm_down() {
    for (int ms = 0; ms < kMsToCalmDown; ++ms) {
      uint32_t quiet = parked_.load(std::memory_order_relaxed);
      uint32_t all = 0;
      for (const auto& lane : lanes_) {
        if (lane->thread == 0 || lane->steps.empty()) continue;
        ++all;
        quiet += lane->ended.is_set() ? 1 : 0;
      }
      if (quiet >= all) return;
      usleep(1000);
    }
  }

  // For whoever watches from another process: that something goes on, and what began last.
  void tell(const Step& step) {
    Progress* progress = options_.progress;
    if (progress == nullptr) return;
    __atomic_fetch_add(&progress->steps, 1, __ATOMIC_RELAXED);
    name_step(*progress, step.line, step.member, static_cast<uint8_t>(step.code));
  }

  static void name_step(Progress& progress, uint64_t line, uint64_t member, uint8_t op_code) {
    __atomic_store_n(&progress.line, line, __ATOMIC_RELAXED);
    __atomic_store_n(&progress.member, member, __ATOMIC_RELAXED);
    __atomic_store_n(&progress.op_code, op_code, __ATOMIC_RELAXED);
  }

  // Of those that wait and those that have ended, none hangs in the subject. Reads what other threads are writing, each
  // value whole; a wrong guess costs the wrong line in a report of a hang.
  __attribute__((no_sanitize("thread"))) void show_who_is_busy() {
    if (options_.progress == nullptr) return;
    for (const auto& lane : lanes_) {
      const Progress& progress = lane->progress;
      if (progress.in_subject != kInSubject) continue;
      name_step(*options_.progress, progress.line, progress.member, progress.op_code);
      return;
    }
  }

  // That the run has been stopped is seen without an order to the error or violation of it: the lock gives one.
  void rethrow_error() {
    const std::lock_guard guard(stop_lock_);
    if (error_) std::rethrow_exception(error_);
  }

  // After a stop other threads are still counting: whole values, and no one needs the latest.
  __attribute__((no_sanitize("thread"))) RunResult merged() const {
    RunResult sum;
    for (const auto& lane : lanes_) {
      const RunResult& result = lane->result;
      sum.executed += result.executed;
      sum.skipped += result.skipped;
      for (size_t code = 0; code < kOpKinds; ++code) {
        sum.tried[code] += result.tried[code];
        sum.executed_by_op[code] += result.executed_by_op[code];
        sum.succeeded[code] += result.succeeded[code];
      }
      sum.trace_hash = (sum.trace_hash ^ result.trace_hash) * 0x9fb21c651e98df25;
    }
    sum.violation = violation_;
    sum.os_calls = seam_.calls();
    sum.failed_os_calls = seam_.failed();
    return sum;
  }

  const Order order_;
  const Subject& subject_;
  const RunOptions options_;
  Workspace& space_;
  const bool keeps_threads_;
  SeamWatch seam_;
  std::vector<DoneFlag> done_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  DoneFlag all_started_;
  std::atomic<bool> stopped_{false};
  std::atomic<uint32_t> parked_{0};
  std::mutex stop_lock_;
  Violation violation_;
  std::exception_ptr error_;
};

}  // namespace

RunResult run_free(const Program& program, const Subject& subject, const RunOptions& options) {
  auto run = std::make_unique<FreeRun>(program, subject, options);
  const RunResult result = run->run();
  if (run->left_threads_behind()) static_cast<void>(run.release());
  return result;
}

}  // namespace assay
