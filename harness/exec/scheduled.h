// Running a program of several threads under a scheduler: real threads of which one runs at a time, stopped and put on
// between accesses to shared memory where the subject tells of them, and between operations where it does not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/exec/baseline.h"
#include "harness/exec/operations.h"
#include "harness/exec/order.h"
#include "harness/exec/run.h"
#include "harness/sched/scheduler.h"

namespace assay {

// One program on one subject, run as often as a strategy likes. Set-up and end lie outside of what a strategy sees:
// where one thread alone has something to do there is no choice, the threads that are left end one after the other, and
// t0 checks and frees what is live.
class ScheduledExecutor final : public ScheduledBody {
 public:
  // Throws InputError for a program of too many threads. Everything is kept by reference; `scheduler` has the threads,
  // of which those that need not end live on with it.
  ScheduledExecutor(const Program& program, const Subject& subject, const RunOptions& options, Scheduler& scheduler);
  ~ScheduledExecutor() override;

  // After a violation the threads are left where they are; another run starts new ones.
  void note_sites(SiteSet* sites) { scheduler_.note_sites(sites); }
  RunResult run(Strategy& strategy, ScheduleRecord& record);

 private:
  enum class Awaited : uint8_t { kStep, kAllSteps, kOtherLanes };
  static constexpr uint32_t kNoLane = ~uint32_t{0};
  struct Lane {
    ScheduledExecutor* executor = nullptr;
    uint32_t previous = kNoLane;  // the same logical thread's lane before this one
    std::vector<uint32_t> steps;
    size_t next = 0;  // of steps
    Awaited awaited = Awaited::kStep;
    uint32_t step = 0;  // that it waits for to be allowed
    bool in_destructor = false;
    // By an operation that goes on until its thread has ended, or has come to the next round of its destructors.
    bool leaves = false;
    Progress saved;
    std::optional<Operations> operations;
  };

  bool live(uint32_t lane) override;
  static void live_in_destructor(void* lane);
  bool go_on(uint32_t lane);
  bool may_go_on(uint32_t lane) override;
  void stopped(uint32_t lane) override;
  void put_on(uint32_t lane) override;
  void ended(uint32_t lane) override;

  uint32_t end_mark(uint32_t lane) const { return marks_ + lane; }
  void make_lanes();
  void prepare();
  void wait_for_turn(uint32_t lane, uint32_t step, bool first);
  bool leave(Lane& lane);
  void left(Lane& lane);
  bool end_lane(const Lane& lane);
  bool finish(Operations& operations);
  // What the lane is at, for a report.
  std::string position(uint32_t lane) const;
  void describe_end(RunEnd end);
  void set_hooks(const AccessHooks* hooks) const;

  const Subject& subject_;
  Order order_;
  RunOptions options_;
  Progress own_progress_;
  Progress* progress_;
  Scheduler& scheduler_;
  ShadowHeap heap_;
  ReuseTable reuse_;
  std::optional<SeamWatch> seam_;  // of the present run
  std::optional<Ledger> ledger_;   // and this
  RunResult result_;
  std::vector<Lane> lanes_;
  std::vector<uint32_t> threads_;  // of lanes
  std::vector<uint32_t> mark_of_;  // of steps that others wait for
  uint32_t marks_ = 0;             // of steps; then one for the end of each lane
  std::vector<uint8_t> done_;      // of steps
  uint32_t left_ = 0;              // steps that are not done
  Baseline baseline_;
};

// The program with the schedule that it says itself.
RunResult run_scheduled(const Program& program, const Subject& subject, const RunOptions& options,
                        ScheduleRecord& record);

}  // namespace assay
