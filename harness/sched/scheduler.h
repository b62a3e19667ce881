// Real threads of which one runs at a time, and a strategy that says which. A thread is stopped only right before an
// access to shared memory (the subject's hooks tell of each), before an operation, or where it waits; it is put on
// again there. The rule that every schedule is told against: the running lane goes on until it waits or ends, then the
// lowest runnable one goes on. A lane waits for the program's order, for a lock that is held, and where it says that it
// looks again and again (a yield) for a change of shared memory, or until no other can run.
//
// A fork leaves all lanes but the running one where they are. The child runs unscheduled: there a lane knows of no
// scheduler, from the first instruction on, so that also what the subject's fork handlers do there is its own.
//
// Hand-off is by futex. No code of this folder is instrumented by a sanitizer, and no allocation happens while the
// program runs, so that a race detector beside it sees what the subject and the program's own order do, and not us.
#pragma once

#include <pthread.h>

#include <cstdint>

#include "harness/op/access_hooks.h"
#include "harness/sched/raw.h"
#include "harness/sched/record.h"
#include "harness/sched/site_set.h"
#include "harness/sched/store_history.h"
#include "harness/sched/strategy.h"

namespace assay {

// What the scheduler asks of the one who runs the program. All are called while no other lane runs.
class ScheduledBody {
 public:
  virtual ~ScheduledBody() = default;
  // The whole life of a lane. When it returns true the thread ends, with what the C library does then; else it is kept
  // for the lane's next run.
  virtual bool live(uint32_t lane) = 0;
  // Whether what the lane waits for has happened. Asked again only when a lane has ended, waited, begun an operation,
  // or reached or passed a mark, and after progressed().
  virtual bool may_go_on(uint32_t lane) = 0;
  // The lane is stopped in the middle of something, and is put on again.
  virtual void stopped(uint32_t lane) = 0;
  virtual void put_on(uint32_t lane) = 0;
  // Its thread has really ended, or is as good as that.
  virtual void ended(uint32_t lane) = 0;
};

enum class RunEnd : uint8_t {
  kDone,
  kStopped,
  kDeadlock,
  kLivelock,
  kOutside,  // what the running lane does is not the schedule's, and would wait for a lane that is stopped
};

class Scheduler {
 public:
  // More accesses than this in one run are a livelock.
  static constexpr uint64_t kMaxAccesses = uint64_t{1} << 20;

  Scheduler();
  // The threads have ended, or abandon() was called.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs `lanes` lanes from the first on to the end of all, on threads of their own; the caller sleeps meanwhile.
  // `threads` says which logical thread each lane is. `gate` points to a byte that is 1 while what the running lane
  // does is the schedule's. When the end is not kDone, threads are left where they are, and abandon() must follow.
  RunEnd run(ScheduledBody& body, uint32_t lanes, uint32_t marks, const uint32_t* threads, const volatile uint8_t* gate,
             Strategy& strategy, ScheduleRecord& record);
  // From now on the places of accesses at which another lane could have gone on are entered there.
  void note_sites(SiteSet* sites) { sites_ = sites; }
  // Leaves the threads stopped for ever, and their memory with them.
  void abandon();

  const AccessHooks& hooks() const;
  // Loads of this run that were given an older value than the newest.
  const uint64_t& older_values() const { return older_values_; }

  // On the running lane, from its body:
  // An operation begins, and may be preempted before it does anything. Of an opaque one nobody tells the accesses: it
  // counts as one access, of what all opaque ones share.
  void begin_operation(uint32_t lane, uint64_t line, uint64_t member, bool opaque = false);
  // The process is about to fork: an access that conflicts with all others.
  void begin_fork(uint32_t lane);
  // Returns when may_go_on(lane).
  void wait(uint32_t lane);
  // What a lane has done when it reaches a mark comes before what another does after it has passed it, in every
  // schedule.
  void reach(uint32_t lane, uint32_t mark);
  void pass(uint32_t lane, uint32_t mark);
  // What a lane has done beside all that may let another go on.
  void progressed() { awaited_ = true; }
  // Ends the run at once. Does not return.
  [[noreturn]] void stop();

  bool ended(uint32_t lane) const { return lanes_[lane].state == State::kEnded; }
  // Where a lane is, and what it waits for, for a report.
  AccessPlace place(uint32_t lane) const { return lanes_[lane].place; }
  bool waits_for_lock(uint32_t lane) const { return at_lock(lanes_[lane]); }
  bool waits(uint32_t lane) const { return lanes_[lane].state == State::kWaiting; }

 private:
  enum class State : uint8_t { kFresh, kAtAccess, kWaiting, kEnded };
  struct Lane {
    Token token, watch;
    State state;
    bool chosen;  // put on by the strategy, and not because another lane could not go on
    bool moved;   // has made an access since it was put on
    bool has_watcher, has_thread;
    AccessPlace place;
    Access access;   // that it is stopped before
    const void* pc;  // where in the subject; null before an operation
    size_t size;
    int order;
    uint64_t found;        // what a store is about to overwrite
    uint64_t memory_seen;  // when it came to a yield
    Scheduler* scheduler;
    pthread_t thread, watcher;
  };

  static bool before(const void* address, size_t size, int kind, int order);
  static uint64_t after(bool wrote, uint64_t before, uint64_t now);
  static void* enter(void* lane);
  static void* enter_watcher(void* lane);
  void watch(Lane& lane);

  uint32_t index(const Lane& lane) const { return static_cast<uint32_t>(&lane - lanes_); }
  static bool at_lock(const Lane& lane);
  bool at_yield(const Lane& lane) const;
  bool past_waiting(uint32_t lane) const;
  uint64_t runnable_lanes();
  Point point(const Lane& lane, uint64_t runnable) const;

  void decide(Lane& lane);
  void put_on(uint32_t lane, bool chosen);
  void sleep(Lane& lane);
  void give_up_turn(Lane& lane);
  void made(const Lane& lane);
  void order_system_call(const Lane& lane, int order);
  void lane_ended(Lane& lane);
  bool put_on_lowest();
  void finish(RunEnd end);
  [[noreturn]] void sleep_for_ever();
  void start_thread(Lane& lane);
  void end_thread(pthread_t thread, Lane& lane, Token& token);

  Lane* lanes_;
  Access* next_;  // of each lane, what it will do first
  uint32_t lane_count_ = 0;
  uint64_t ready_ = 0;     // lanes that neither wait nor have ended: right unless awaited_
  bool awaited_ = true;    // something may have come that a lane waits for
  bool alone_ = true;      // so far no two lanes could run at a time: what was done comes before all that will be
  bool keeps_old_ = true;  // loads may return older values
  uint64_t older_values_ = 0;
  uint64_t memory_ = 0;  // tells what shared memory holds from what it held at other times of the run
  const uint32_t* threads_ = nullptr;
  ScheduledBody* body_ = nullptr;
  const volatile uint8_t* gate_ = nullptr;
  Strategy* strategy_ = nullptr;
  ScheduleRecord* record_ = nullptr;
  SiteSet* sites_ = nullptr;
  StoreHistory history_;
  Token done_;
  uint8_t start_ = 0;  // its address stands for what happened before the run, and for all that is opaque
  RunEnd end_ = RunEnd::kDone;
};

}  // namespace assay
