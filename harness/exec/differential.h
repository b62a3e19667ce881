// One program on several subjects, and the steps at which they answer differently. Each subject runs the whole program
// by itself, under every oracle; where a permitted difference leaves a block with some and none with others, all run
// again and those that have it free it there, so that what follows compares like with like.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/exec/comparison.h"
#include "harness/exec/run.h"
#include "harness/exec/worker.h"

namespace assay {

// One subject of a comparison, wherever it runs.
class Lane {
 public:
  virtual ~Lane() = default;
  // Throws as Worker::run() does. What it saw is there until the next run.
  virtual RunResult run(const WorkRequest& request, const Program& program) = 0;
  virtual const Comparison& seen() const = 0;
  virtual std::string version() const = 0;
  virtual AskableOperations askable() const = 0;
  const std::string& subject() const { return subject_; }

 protected:
  explicit Lane(std::string subject) : subject_(std::move(subject)) {}

 private:
  std::string subject_;
};

std::unique_ptr<Lane> lane_in_process(std::string name, std::unique_ptr<Subject> subject);
// A strict run is one in a new process.
std::unique_ptr<Lane> lane_in_worker(std::string subject, WorkerCommand command);

// What one subject answered to one step.
enum class AnswerKind : uint8_t {
  kSkipped,  // not asked: it lacks the function, or the slot is not as it must be
  kDone,     // a call that has nothing to tell
  kTold,     // a question
  kBlock,
  kNull,       // NULL, with `error`
  kNullFreed,  // a resize to nothing that freed the block
  kNullKept,   // a resize to nothing that did nothing
  kNotGrown,   // expand: not in place
  kViolation,  // it broke a promise
};
struct LaneAnswer {
  AnswerKind kind = AnswerKind::kSkipped;
  int error = 0;
  Oracle oracle = Oracle::kNone;  // of a violation
  uint64_t told = 0;              // by a question: 0 or 1, or the blocks of a walk
  uint64_t told_bytes = 0;        // asked for the blocks of the walk
  bool counts = false;            // it is a walk
  bool unlawful = false;          // NULL, and the standard says something else: no majority outvotes that

  bool operator==(const LaneAnswer&) const = default;
};
LaneAnswer lane_answer(const StepAnswer& seen);
// "a block", "NULL, ENOMEM", "breaks contents".
std::string text_of(const LaneAnswer& answer);

// A step at which those that were asked do not agree, or one of them broke a promise.
struct Difference {
  Step step;
  std::optional<Step> maker;        // the step that gave the block which this one takes
  bool several_threads = false;     // the program has more than one
  std::vector<LaneAnswer> answers;  // one a lane
  std::optional<size_t> broken_by;  // the first lane that broke a promise here, and what it broke
  Violation violation;
};
// True: this is permitted, go on.
using DifferenceJudge = std::function<bool(const Difference&)>;

struct ComparisonResult {
  std::optional<Difference> divergence;  // the first that was not permitted
  std::vector<Difference> permitted;     // before it
  std::vector<RunResult> results;        // of the last round, one a lane
  std::vector<bool> ran;                 // one a lane; who has no heaps sits out a program about them
  uint64_t steps = 0;                    // compared
};

// `request` says which program, in a form that a worker can read; `program` is the same. Calls `judge` in the order of
// the steps; it may be asked of the same step more than once. Throws InputError where the program is too long.
ComparisonResult compare(std::span<const std::unique_ptr<Lane>> lanes, const WorkRequest& request,
                         const Program& program, const DifferenceJudge& judge);

}  // namespace assay
