#include "harness/exec/order.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {

bool stands_alone(OpCode code) {
  switch (code) {
    case OpCode::kFork:
    case OpCode::kAdvanceClock:
    case OpCode::kOsHeal:
    case OpCode::kCheckAll:
    case OpCode::kCheckStatistics:
    case OpCode::kOptionSet:
    case OpCode::kOptionSetDefault:
    case OpCode::kStatsPrint:
    case OpCode::kRegisterDeferredFree:
    case OpCode::kHeapDestroy: return true;
    default: return false;
  }
}

Order::Order(const Program& program) : of_thread_(1) {
  const uint64_t operations = program.operations();
  if (operations > kMaxSteps) {
    throw InputError{
        fmt::format("{} operations are too many for threads that run at a time, at most {}", operations, kMaxSteps)};
  }
  steps_.reserve(operations);
  awaited_.resize(operations);
  first_wait_.reserve(operations + 1);
  first_wait_.push_back(0);
  ProgramSteps steps(program);
  for (Step step; steps.next(step);) {
    // What end() says belongs to the final frees.
    if (step.code == OpCode::kEnd) {
      end_fails_ = step.fails;
      continue;
    }
    steps_.push_back(step);
    const auto index = static_cast<uint32_t>(steps_.size() - 1);
    add_waits(index);
    first_wait_.push_back(static_cast<uint32_t>(waits_.size()));
    if (step.thread >= of_thread_.size()) of_thread_.resize(size_t{step.thread} + 1);
    of_thread_[step.thread].push_back(index);
  }
  if (barrier_ != 0) awaited_[barrier_ - 1] = 1;
}

void Order::add_wait(uint32_t before, uint32_t index) {
  if (steps_[before].thread == steps_[index].thread) return;
  const auto own = waits_.begin() + first_wait_.back();
  if (std::find(own, waits_.end(), before) != waits_.end()) return;
  waits_.push_back(before);
  awaited_[before] = 1;
}

void Order::add_names(uint32_t index) {
  const Step& step = steps_[index];
  const OpInfo& row = info(step.code);
  for (size_t i = 0; i < row.args.size(); i++) {
    const uint64_t name = step.args[i];
    if (!is_name(row.args[i]) || name == kNoName) continue;
    add_use(names_heap(row.args[i]) ? last_of_heap_ : last_of_arena_, name, index);
    if (row.args[i] != ArgKind::kNewHeap) continue;
    ++heaps_made_;
    if (name >= makers_of_heap_.size()) makers_of_heap_.resize(name + 1);
    std::vector<uint32_t>& makers = makers_of_heap_[name];
    if (std::ranges::find(makers, step.thread) == makers.end()) makers.push_back(step.thread);
  }
  if (step.code != OpCode::kThreadExit && step.code != OpCode::kTlsDestructor) return;
  for (uint64_t heap = 0; heap < makers_of_heap_.size(); heap++) {
    const std::vector<uint32_t>& makers = makers_of_heap_[heap];
    if (std::ranges::find(makers, step.thread) != makers.end()) add_use(last_of_heap_, heap, index);
  }
}

void Order::add_use(std::vector<uint32_t>& last_uses, uint64_t at, uint32_t index) {
  if (at >= last_uses.size()) last_uses.resize(at + 1);
  uint32_t& last = last_uses[at];
  // What came before a barrier has been waited for with it.
  if (last > barrier_) add_wait(last - 1, index);
  last = index + 1;
}

void Order::add_waits(uint32_t index) {
  const Step& step = steps_[index];
  if (stands_alone(step.code)) {
    for (const std::vector<uint32_t>& thread : of_thread_) {
      if (!thread.empty() && thread.back() + 1 >= barrier_) add_wait(thread.back(), index);
    }
    barrier_ = index + 1;
  } else if (barrier_ != 0) {
    const bool is_first_after_it = step.thread >= of_thread_.size() || of_thread_[step.thread].empty() ||
                                   of_thread_[step.thread].back() + 1 < barrier_;
    if (is_first_after_it) add_wait(barrier_ - 1, index);
  }
  add_names(index);
  if (step.slot) add_slot(*step.slot, index);
  if (step.result_slot && step.result_slot != step.slot) add_slot(*step.result_slot, index);
}

}  // namespace assay
