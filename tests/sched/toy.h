// Small programs on Atomic<T>, put under the real scheduler: compiled with XIMALLOC_SCHED_HOOKS, so that what is tested
// is what runs under ximalloc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "allocator/base/atomic.h"
#include "allocator/base/lock.h"
#include "harness/sched/scheduler.h"

namespace assay {

// Made anew for each run.
class Toy {
 public:
  virtual ~Toy() = default;
  virtual uint32_t threads() const = 0;
  virtual void run(uint32_t thread) = 0;
  // After that, and not the schedule's.
  virtual void run_outside(uint32_t) {}
  // What came of it, after all have ended.
  virtual std::string outcome() const = 0;
};

class ToyRunner final : public ScheduledBody {
 public:
  RunEnd run(Toy& toy, Strategy& strategy) {
    toy_ = &toy;
    const uint32_t lanes = toy.threads();
    for (uint32_t i = 0; i < lanes; ++i) threads_[i] = i;
    const xi::SchedHooks hooks = {scheduler_.hooks().before, scheduler_.hooks().after};
    xi_sched_hooks = &hooks;
    const RunEnd end = scheduler_.run(*this, lanes, 0, threads_, &gate_, strategy, record);
    xi_sched_hooks = nullptr;
    if (end != RunEnd::kDone) scheduler_.abandon();
    return end;
  }

  Scheduler& scheduler() { return scheduler_; }
  ScheduleRecord record;

 private:
  bool live(uint32_t lane) override {
    gate_ = 1;
    scheduler_.begin_operation(lane, lane, 0);
    toy_->run(lane);
    gate_ = 0;
    toy_->run_outside(lane);
    return false;
  }
  bool may_go_on(uint32_t) override { return true; }
  void stopped(uint32_t) override {}
  void ended(uint32_t) override {}
  // A thread is only ever stopped at an access.
  void put_on(uint32_t) override { gate_ = 1; }

  Scheduler scheduler_;
  Toy* toy_ = nullptr;
  uint32_t threads_[kMaxLanes] = {};
  volatile uint8_t gate_ = 0;
};

}  // namespace assay
