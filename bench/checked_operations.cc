// How fast the harness checks: operations a second of run_sequential, beside a bare loop that makes the same calls and
// writes one word into each block.
//
//   bench_checked_operations FILE.ops…     programs of one thread; others are left out
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "harness/exec/run.h"
#include "harness/op/program.h"
#include "harness/op/read_program.h"
#include "harness/subject/registry.h"

namespace {

using assay::OpCode;
using assay::Step;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 15;
constexpr std::chrono::milliseconds kRoundLength(200);

// Steps that were drawn beforehand, so that neither side pays for it.
class DrawnSteps final : public assay::StepSource {
 public:
  explicit DrawnSteps(const std::vector<Step>& steps) : steps_(steps) {}
  bool next(Step& step) override {
    if (at_ == steps_.size()) return false;
    step = steps_[at_++];
    return true;
  }

 private:
  const std::vector<Step>& steps_;
  size_t at_ = 0;
};

// The calls that both sides make.
bool is_benchmarked(const Step& step) {
  if (step.thread != 0) return false;
  switch (step.code) {
    case OpCode::kMalloc:
    case OpCode::kCalloc:
    case OpCode::kRealloc:
    case OpCode::kAlignedAlloc:
    case OpCode::kPosixMemalign:
    case OpCode::kFree:
    case OpCode::kUsableSize: return true;
    default: return false;
  }
}

class BareLoop {
 public:
  explicit BareLoop(const assay::SubjectApi& api) : api_(api), blocks_(assay::kMaxTextSlots + 1) {}

  uint64_t run(const std::vector<Step>& steps) {
    uint64_t executed = 0;
    for (const Step& step : steps) executed += one(step);
    for (size_t slot = 0; slot < slots_used_; ++slot) {
      if (blocks_[slot] != nullptr) api_.free(std::exchange(blocks_[slot], nullptr));
    }
    slots_used_ = 0;
    return executed;
  }

 private:
  bool fill(uint64_t slot, void* block, size_t size) {
    blocks_[slot] = block;
    if (slot >= slots_used_) slots_used_ = slot + 1;
    if (block != nullptr && size >= sizeof(uint64_t)) *static_cast<volatile uint64_t*>(block) = slot;
    return true;
  }

  bool one(const Step& step) {
    void** taken = step.slot ? &blocks_[*step.slot] : nullptr;
    if (taken != nullptr && *taken == nullptr) return false;
    const bool result_full = step.result_slot && blocks_[*step.result_slot] != nullptr;
    if (result_full && step.result_slot != step.slot) return false;
    switch (step.code) {
      case OpCode::kMalloc: return fill(*step.result_slot, api_.malloc(step.args[0]), step.args[0]);
      case OpCode::kCalloc:
        return fill(*step.result_slot, api_.calloc(step.args[0], step.args[1]), step.args[0] * step.args[1]);
      case OpCode::kRealloc: {
        void* block = api_.realloc(taken == nullptr ? nullptr : *taken, step.args[1]);
        if (block == nullptr) return true;
        if (taken != nullptr) *taken = nullptr;
        return fill(*step.result_slot, block, step.args[1]);
      }
      case OpCode::kAlignedAlloc:
        return fill(*step.result_slot, api_.aligned_alloc(step.args[0], step.args[1]), step.args[1]);
      case OpCode::kPosixMemalign: {
        void* block = nullptr;
        if (api_.posix_memalign(&block, step.args[0], step.args[1]) != 0) return true;
        return fill(*step.result_slot, block, step.args[1]);
      }
      case OpCode::kFree:
        if (taken != nullptr) api_.free(std::exchange(*taken, nullptr));
        return true;
      default:
        if (taken != nullptr && api_.usable_size != nullptr) seen_ += api_.usable_size(*taken);
        return true;
    }
  }

  assay::SubjectApi api_;
  std::vector<void*> blocks_;
  size_t slots_used_ = 0;
  volatile uint64_t seen_ = 0;
};

// Operations a second of one round: all programs, again and again.
template <typename RunOne>
double round_rate(const std::vector<std::vector<Step>>& programs, RunOne run_one) {
  uint64_t operations = 0;
  const auto start = Clock::now();
  do {
    for (const std::vector<Step>& steps : programs) operations += run_one(steps);
  } while (Clock::now() - start < kRoundLength);
  return static_cast<double>(operations) / std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> rates) {
  std::nth_element(rates.begin(), rates.begin() + kRounds / 2, rates.end());
  return rates[kRounds / 2];
}

int measure(const std::vector<std::vector<Step>>& programs, const assay::Subject& subject) {
  assay::RunOptions options;
  options.strictness = assay::Strictness::kSampled;
  BareLoop bare(subject.api());
  std::vector<double> checked_rates, bare_rates;
  bool clean = true;
  for (int round = 0; round < kRounds; ++round) {
    checked_rates.push_back(round_rate(programs, [&](const std::vector<Step>& steps) {
      DrawnSteps source(steps);
      const assay::RunResult result = assay::run_sequential(source, subject, options);
      clean = clean && !result.violation;
      return result.executed;
    }));
    bare_rates.push_back(round_rate(programs, [&](const std::vector<Step>& steps) { return bare.run(steps); }));
  }
  const double checked = median(checked_rates), unchecked = median(bare_rates);
  fmt::print("{}: {:.2f} M checked operations/s, {:.2f} M bare, ratio {:.2f} ({} programs, median of {} rounds)\n",
             subject.name(), checked / 1e6, unchecked / 1e6, unchecked / checked, programs.size(), kRounds);
  return clean ? 0 : 1;
}

int run(int argc, char** argv) {
  std::vector<std::vector<Step>> programs;
  for (int i = 1; i < argc; ++i) {
    const assay::Program program = assay::read_program(argv[i]);
    assay::ProgramSteps source(program);
    std::vector<Step> steps;
    bool all = true;
    for (Step step; source.next(step); steps.push_back(step)) all = all && is_benchmarked(step);
    if (all && !steps.empty()) programs.push_back(std::move(steps));
  }
  if (programs.empty()) throw assay::InputError{"usage: bench_checked_operations FILE.ops…"};
  int status = 0;
  for (const char* name : {"ximalloc", "libc"}) status |= measure(programs, *assay::open_subject(name));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const assay::InputError& error) {
    fmt::print(stderr, "{}\n", error.message);
    return 2;
  }
}
