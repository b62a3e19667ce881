#include "harness/exec/differential.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "harness/exec/call.h"
#include "harness/exec/operations.h"

namespace assay {
namespace {

class LaneInProcess final : public Lane {
 public:
  LaneInProcess(std::string name, std::unique_ptr<Subject> subject)
      : Lane(std::move(name)), subject_(std::move(subject)) {}

  RunResult run(const WorkRequest& request, const Program& program) override {
    comparison_->begin(request.drops, request.askable);
    RunOptions options = request.options;
    options.comparison = comparison_.get();
    ProgramSteps steps(program);
    return run_sequential(steps, *subject_, options);
  }
  const Comparison& seen() const override { return *comparison_; }
  std::string version() const override { return subject_->version(); }
  AskableOperations askable() const override { return askable_operations(*subject_); }

 private:
  std::unique_ptr<Subject> subject_;
  std::unique_ptr<Comparison> comparison_ = std::make_unique<Comparison>();
};

class LaneInWorker final : public Lane {
 public:
  LaneInWorker(std::string subject, WorkerCommand command) : Lane(std::move(subject)), worker_(std::move(command)) {
    worker_.start();
  }

  RunResult run(const WorkRequest& request, const Program&) override {
    if (request.options.strictness == Strictness::kStrict && !request.keeps_process) worker_.stop();
    return worker_.run(request);
  }
  const Comparison& seen() const override { return worker_.comparison(); }
  std::string version() const override { return worker_.subject_version(); }
  AskableOperations askable() const override { return worker_.askable(); }

 private:
  Worker worker_;
};

AnswerKind kind_of(const StepAnswer& seen) {
  if (seen.skipped) return AnswerKind::kSkipped;
  if (seen.tells) return AnswerKind::kTold;
  const ResultKind result = info(seen.code).result;
  if (seen.succeeded) {
    return result == ResultKind::kFills || result == ResultKind::kMoves ? AnswerKind::kBlock : AnswerKind::kDone;
  }
  if (seen.code == OpCode::kExpand) return AnswerKind::kNotGrown;
  if (seen.error != 0) return AnswerKind::kNull;
  return seen.slot_live ? AnswerKind::kNullKept : AnswerKind::kNullFreed;
}

bool agree(const std::vector<LaneAnswer>& answers) {
  const LaneAnswer* first = nullptr;
  for (const LaneAnswer& answer : answers) {
    if (answer.kind == AnswerKind::kViolation || answer.unlawful) return false;
    if (answer.kind == AnswerKind::kSkipped) continue;
    if (first != nullptr && *first != answer) return false;
    first = &answer;
  }
  return true;
}

// Compares one round's answers, step by step.
class Round {
 public:
  Round(std::span<const std::unique_ptr<Lane>> lanes, const Program& program, ComparisonResult& result,
        const DifferenceJudge& judge)
      : lanes_(lanes),
        several_threads_(std::ranges::any_of(program.lines, [](const Operation& line) { return line.thread != 0; })),
        steps_(program),
        result_(result),
        judge_(judge) {}

  // Adds what must be freed to `drops`, and says whether it did: then all has to run again. Behind the first such place
  // nothing is judged, but most of what would have to be dropped next shows there already.
  bool wants_another(std::vector<Drop>& drops) {
    Step step;
    bool drifted = false;
    for (size_t index = 0; steps_.next(step) && step.code != OpCode::kEnd; ++index) {
      if (!drifted) {
        Difference difference = difference_at(step, index);
        ++result_.steps;
        if (!agree(difference.answers) && !settled(std::move(difference))) return false;
      }
      if (someone_ended(index)) return drifted;
      drifted = note_drops(step, index, drops) || drifted;
      note_maker(step, index);
    }
    if (!drifted) compare_ends();
    return drifted;
  }

 private:
  bool settled(Difference difference) {
    const bool is_permitted = judge_(difference);
    if (is_permitted) {
      result_.permitted.push_back(std::move(difference));
    } else {
      result_.divergence = std::move(difference);
    }
    return is_permitted;
  }

  void note_violation(Difference& difference, size_t lane) const {
    difference.answers[lane] = {.kind = AnswerKind::kViolation, .oracle = result_.results[lane].violation.oracle};
    if (difference.broken_by) return;
    difference.broken_by = lane;
    difference.violation = result_.results[lane].violation;
  }

  Difference difference_at(const Step& step, size_t index) const {
    Difference difference;
    difference.step = step;
    difference.several_threads = several_threads_;
    if (const auto maker = step.slot ? makers_.find(*step.slot) : makers_.end(); maker != makers_.end()) {
      difference.maker = maker->second;
    }
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      const auto seen = seen_by(lane);
      difference.answers.push_back(index < seen.size() ? lane_answer(seen[index]) : LaneAnswer{});
      if (result_.results[lane].violation && last_step_of(lane) == index) note_violation(difference, lane);
    }
    return difference;
  }

  // Where the lane broke a promise: the step that it noted last, when the check after it objected, else the one that
  // did not come to its end.
  size_t last_step_of(size_t lane) const {
    const auto seen = seen_by(lane);
    const Violation& violation = result_.results[lane].violation;
    if (violation.line == kNoOperation) return ~size_t{0};
    const bool was_noted =
        !seen.empty() && seen.back().line == violation.line && seen.back().member == violation.member;
    return was_noted ? seen.size() - 1 : seen.size();
  }

  bool someone_ended(size_t index) const {
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (!result_.ran[lane]) continue;
      const bool noted = index < seen_by(lane).size();
      if (!noted || (result_.results[lane].violation && last_step_of(lane) == index)) return true;
    }
    return false;
  }

  // What broke when everything was freed.
  void compare_ends() {
    Difference difference;
    difference.several_threads = several_threads_;
    difference.step.line = kNoOperation;
    difference.step.code = OpCode::kEnd;
    difference.answers.resize(lanes_.size());
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (result_.ran[lane]) difference.answers[lane].kind = AnswerKind::kDone;
      if (result_.results[lane].violation) note_violation(difference, lane);
    }
    if (!agree(difference.answers)) static_cast<void>(settled(std::move(difference)));
  }

  bool note_drops(const Step& step, size_t index, std::vector<Drop>& drops) const {
    const size_t before = drops.size();
    const auto note = [&](std::optional<uint64_t> slot, bool StepAnswer::* live) {
      if (!slot) return;
      size_t having = 0, asked = 0;
      for (size_t lane = 0; lane < lanes_.size(); ++lane) {
        if (!result_.ran[lane]) continue;
        ++asked;
        having += seen_by(lane)[index].*live ? 1 : 0;
      }
      if (having == 0 || having == asked) return;
      const Drop drop{static_cast<uint32_t>(step.line), static_cast<uint32_t>(step.member), *slot};
      if (std::ranges::find(drops, drop) == drops.end()) drops.push_back(drop);
    };
    note(step.result_slot, &StepAnswer::result_live);
    note(step.slot, &StepAnswer::slot_live);
    return drops.size() > before;
  }

  // A skipped step gives none, one that fails leaves it what it was, and so does one that leaves it where it was.
  void note_maker(const Step& step, size_t index) {
    if (!step.result_slot) return;
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (!result_.ran[lane]) continue;
      const StepAnswer& seen = seen_by(lane)[index];
      if (seen.result_live && !seen.skipped && seen.succeeded && !seen.stayed) makers_[*step.result_slot] = step;
    }
  }

  // What is left of another program in a lane that sat this one out is nothing to it.
  std::span<const StepAnswer> seen_by(size_t lane) const {
    return result_.ran[lane] ? lanes_[lane]->seen().seen() : std::span<const StepAnswer>();
  }

  std::span<const std::unique_ptr<Lane>> lanes_;
  bool several_threads_;
  std::map<uint64_t, Step> makers_;  // by slot
  ProgramSteps steps_;
  ComparisonResult& result_;
  const DifferenceJudge& judge_;
};

// All, unless the program is about heaps and some have them, at least two.
std::vector<bool> who_runs(std::span<const std::unique_ptr<Lane>> lanes, const Program& program) {
  const auto about_heaps = [](const Operation& line) { return info(line.code).is_about_heaps(); };
  std::vector<bool> having(lanes.size(), true);
  if (std::ranges::none_of(program.lines, about_heaps)) return having;
  size_t count = 0;
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    having[lane] = lanes[lane]->askable()[static_cast<size_t>(OpCode::kHeapNew)];
    count += having[lane] ? 1 : 0;
  }
  return count >= 2 ? having : std::vector<bool>(lanes.size(), true);
}

}  // namespace

std::unique_ptr<Lane> lane_in_process(std::string name, std::unique_ptr<Subject> subject) {
  return std::make_unique<LaneInProcess>(std::move(name), std::move(subject));
}

std::unique_ptr<Lane> lane_in_worker(std::string subject, WorkerCommand command) {
  return std::make_unique<LaneInWorker>(std::move(subject), std::move(command));
}

LaneAnswer lane_answer(const StepAnswer& seen) {
  LaneAnswer answer{.kind = kind_of(seen)};
  if (answer.kind == AnswerKind::kNull) answer.error = seen.error;
  answer.unlawful = seen.unlawful;
  answer.told = seen.told;
  answer.told_bytes = seen.told_bytes;
  answer.counts = seen.code == OpCode::kHeapVisitBlocks;
  return answer;
}

std::string text_of(const LaneAnswer& answer) {
  switch (answer.kind) {
    case AnswerKind::kSkipped: return "-";
    case AnswerKind::kDone: return "done";
    case AnswerKind::kTold:
      if (answer.counts) return fmt::format("{} blocks, {} bytes asked for", answer.told, answer.told_bytes);
      return answer.told != 0 ? "true" : "false";
    case AnswerKind::kBlock: return "a block";
    case AnswerKind::kNullFreed: return "NULL, the block freed";
    case AnswerKind::kNullKept: return "NULL, the block kept";
    case AnswerKind::kNotGrown: return "not in place";
    case AnswerKind::kViolation: return fmt::format("breaks {}", name(answer.oracle));
    case AnswerKind::kNull: break;
  }
  if (answer.error == kErrnoMark) return "NULL, errno untouched";
  const char* const error = strerrorname_np(answer.error);
  return error != nullptr ? fmt::format("NULL, {}", error) : fmt::format("NULL, error {}", answer.error);
}

ComparisonResult compare(std::span<const std::unique_ptr<Lane>> lanes, const WorkRequest& request,
                         const Program& program, const DifferenceJudge& judge) {
  if (program.operations() > kMaxStepAnswers) {
    throw InputError{fmt::format("a program of {} operations is too long to be compared ({} at most)",
                                 program.operations(), kMaxStepAnswers)};
  }
  const std::vector<bool> runs = who_runs(lanes, program);
  AskableOperations askable;
  askable.fill(true);
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    if (!runs[lane]) continue;
    const AskableOperations its = lanes[lane]->askable();
    for (size_t code = 0; code < askable.size(); ++code) askable[code] = askable[code] && its[code];
  }
  std::vector<Drop> drops;
  ComparisonResult result;
  bool again = true;
  while (again) {
    result = {};
    WorkRequest order = request;
    order.compares = true;
    order.drops = drops;
    order.askable = askable;
    result.ran = runs;
    for (size_t lane = 0; lane < lanes.size(); ++lane) {
      result.results.push_back(runs[lane] ? lanes[lane]->run(order, program) : RunResult{});
    }
    // Where even that many are not enough, what follows is left alone.
    again = Round(lanes, program, result, judge).wants_another(drops) && drops.size() <= kMaxDrops;
    std::ranges::sort(drops);
  }
  return result;
}

}  // namespace assay
