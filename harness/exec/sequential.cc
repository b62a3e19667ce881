// run_sequential: the text order is the order. Whichever thread holds the token fetches the next step; when that
// belongs to another thread, it hands the token over, so that a program of one thread never pays for a second.
#include <exception>
#include <new>

#include "harness/exec/baseline.h"
#include "harness/exec/breakpoint.h"
#include "harness/exec/destructor.h"
#include "harness/exec/kept_memory.h"
#include "harness/exec/operations.h"
#include "harness/exec/step_text.h"
#include "harness/exec/thread_team.h"
#include "harness/model/mapped_array.h"
#include "harness/oracle/footprint.h"

namespace assay {
namespace {

// What is kept from one program to the next, so that a program of 30 operations does not pay for mappings.
struct Workspace {
  ShadowHeap heap;
  ReuseTable reuse;
  ThreadTeam team;
  Baseline baseline;
};

Workspace& workspace() {
  // Never destroyed: abandoned threads may outlive main.
  static Workspace* const space = new (map_pages(sizeof(Workspace))) Workspace;
  return *space;
}

class SequentialRun {
 public:
  SequentialRun(StepSource& steps, const Subject& subject, const RunOptions& options, Workspace& space)
      : steps_(steps),
        subject_(subject),
        options_(options),
        space_(space),
        operations_(subject, options, space.heap, space.reuse, result_, ledger_) {}

  RunResult run() {
    prepare();
    space_.team.start(enter_thread, this);
    operations_.progress().thread_id = space_.team.kernel_id(0);
    drive(0);
    operations_.begin_end(end_fails_);
    if (phase_ == Phase::kEnding) end_threads();
    if (phase_ == Phase::kEnding) finish();
    if (phase_ == Phase::kStopped) abandon_threads();
    if (error_) std::rethrow_exception(error_);
    result_.os_calls = seam_.calls();
    result_.failed_os_calls = seam_.failed();
    return result_;
  }

 private:
  enum class Phase : uint8_t { kRunning, kEnding, kStopped };
  static constexpr uint32_t kNobody = ~uint32_t{0};

  void prepare() {
    space_.heap.clear();
    space_.reuse.start();
    space_.baseline.measure(subject_);
    if (subject_.instruments().reset != nullptr) subject_.instruments().reset();
    seam_.start(subject_, space_.heap, options_.os_calls, options_.came_failures);
  }

  static bool enter_thread(void* context, uint32_t thread) {
    return static_cast<SequentialRun*>(context)->drive(thread);
  }

  // Runs steps while this thread holds the token. Returns on thread 0 when no step is left or may run, on another when
  // the program ends that thread, or has it go on in a destructor, which enters here again; true when the thread rests.
  bool drive(uint32_t me) {
    operations_.progress().in_subject = 0;
    inside_subject = false;
    while (true) {
      if (me == 0 && exiting_ != kNobody) finish_exit();
      if (phase_ == Phase::kRunning && !pending_) fetch();
      if (phase_ != Phase::kRunning) {
        if (me == 0) return false;
        if (phase_ == Phase::kEnding && ending_thread_ == me) return may_rest(me) ? go_to_rest(me) : leave(me);
        hand_over(0, me);
        continue;
      }
      if (step_.thread != me) {
        hand_over(step_.thread, me);
        continue;
      }
      pending_ = false;
      if (!run_step()) {
        phase_ = Phase::kStopped;
      } else if (step_.code == OpCode::kThreadExit && me != 0) {
        return leave(me);
      } else if (goes_on_in_destructor(step_)) {
        // The subject's own destructor may come first.
        operations_.progress().in_subject = kInSubject;
        inside_subject = true;
        space_.team.go_on_in_destructor(me);
        return false;
      }
    }
  }

  void fetch() {
    try {
      pending_ = steps_.next(step_);
      if (pending_ && step_.code == OpCode::kEnd) {
        end_fails_ = step_.fails;
        pending_ = false;
      }
      if (!pending_) phase_ = Phase::kEnding;
      if (pending_ && step_.thread >= ThreadTeam::kMaxThreads)
        throw InputError{"a program of more than 65,536 threads"};
    } catch (...) {
      stop_with_error();
    }
  }

  void stop_with_error() {
    error_ = std::current_exception();
    phase_ = Phase::kStopped;
  }

  bool run_step() {
    if (options_.print_steps) print_step(step_);
    if (step_.line == options_.break_at_line && step_.member == options_.break_at_member) assay_breakpoint();
    return operations_.run(step_);
  }

  void hand_over(uint32_t to, uint32_t me) {
    try {
      space_.team.pass_and_wait(to, me);
    } catch (...) {
      stop_with_error();
      if (me == 0) return;
      space_.team.pass_and_wait(0, me);
    }
    operations_.progress().thread_id = space_.team.kernel_id(me);
  }

  // The thread returns from its body right after this; thread 0 waits for its end.
  bool leave(uint32_t me) {
    exiting_ = me;
    rests_ = false;
    operations_.progress().in_subject = kInSubject;
    inside_subject = true;
    space_.team.pass_to(0);
    return false;
  }

  // Where nobody looks closely, and the subject can be told that the thread has ended, and begins afresh.
  bool may_rest(uint32_t me) const {
    return options_.strictness == Strictness::kSampled && me <= ThreadTeam::kMostResting && !in_destructor() &&
           subject_.instruments().end_thread != nullptr && subject_.instruments().reset != nullptr;
  }

  bool go_to_rest(uint32_t me) {
    exiting_ = me;
    rests_ = true;
    operations_.progress().in_subject = kInSubject;
    subject_.instruments().end_thread();
    space_.team.pass_to(0);
    return true;
  }

  void finish_exit() {
    if (rests_) {
      space_.team.rest(exiting_);
    } else {
      space_.team.join(exiting_);
    }
    exiting_ = kNobody;
    operations_.progress().in_subject = 0;
    operations_.progress().thread_id = space_.team.kernel_id(0);
    if (!operations_.check_after_exit()) phase_ = Phase::kStopped;
  }

  void end_threads() {
    for (uint32_t thread = 1; thread < space_.team.thread_count() && phase_ == Phase::kEnding; ++thread) {
      if (!space_.team.alive(thread)) continue;
      ending_thread_ = thread;
      space_.team.pass_and_wait(thread, 0);
      finish_exit();
    }
  }

  void finish() {
    if (!operations_.check_and_free_all()) {
      phase_ = Phase::kStopped;
    } else if (footprint_is_due() && !operations_.check_footprint_against(space_.baseline.warmed_up())) {
      phase_ = Phase::kStopped;
    }
  }

  // Letting everything be given back costs the next program a page fault for each page, most of a fuzz run's time.
  // Which programs pay is decided by what they did, so that the same program always does.
  bool footprint_is_due() const {
    if (!has_footprint(subject_)) return false;
    return options_.strictness == Strictness::kStrict || result_.trace_hash % kFootprintOneIn == 0;
  }

  void abandon_threads() {
    for (uint32_t thread = 1; thread < space_.team.thread_count(); ++thread) {
      if (space_.team.alive(thread)) return space_.team.abandon();
    }
  }

  static constexpr uint64_t kFootprintOneIn = 8;

  StepSource& steps_;
  const Subject& subject_;
  const RunOptions& options_;
  Workspace& space_;
  RunResult result_;
  SeamWatch seam_;
  Ledger ledger_{.seam = &seam_};
  Operations operations_;
  Step step_;
  bool pending_ = false;
  const std::vector<Failure>* end_fails_ = nullptr;
  Phase phase_ = Phase::kRunning;
  uint32_t exiting_ = kNobody;
  bool rests_ = false;  // who exits, from the view of its thread
  uint32_t ending_thread_ = kNobody;
  std::exception_ptr error_;
};

}  // namespace

void give_back_kept_memory() {
  workspace().heap.give_back();
}

RunResult run_sequential(StepSource& steps, const Subject& subject, const RunOptions& options) {
  SequentialRun run(steps, subject, options, workspace());
  return run.run();
}

}  // namespace assay
