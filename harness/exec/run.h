// Running one program on one subject under every oracle: options in, result out.
#pragma once

#include <array>
#include <cstdint>

#include "failpoints/plan.h"
#include "harness/op/program.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// kSampled: large blocks are checked at head, tail and samples, all of it every Nth check; the footprint is looked at
// after one program in eight. kStrict: every byte that an operation could have touched, every time; replay and minimise
// use it, so that a token is always computed alike.
enum class Strictness : uint8_t { kSampled, kStrict };

// Told of each call's outcome while a program runs (extra coverage counters, statistics). Must not allocate from the
// subject.
struct Outcome {
  const Step* step;
  bool skipped;
  bool succeeded;       // non-null, or a call that cannot fail
  bool stayed;          // a resize that left the block where it was
  bool unlawful;        // in a comparison: NULL where the standard says something else, which does not end the run
  int error;            // errno (or the returned error) of a failed call
  bool tells;           // a question to which there is one answer
  uint64_t told;        // what it was: 0 or 1, or how many blocks a walk has shown
  uint64_t told_bytes;  // of the blocks of the walk, what was asked for them
  uint64_t requested_bytes;
  uint64_t reuse_distance;  // frees since this address was last freed; ~0: never seen before
};
class OutcomeObserver {
 public:
  virtual ~OutcomeObserver() = default;
  virtual void on_outcome(const Outcome& outcome) = 0;
};

struct RunOptions {
  Strictness strictness = Strictness::kStrict;
  // Blocks and structure are looked at as a whole at the end alone: of thousands of schedules, one in which something
  // goes wrong is run again with every check.
  bool whole_at_end_only = false;
  uint64_t live_bytes_cap = uint64_t{1} << 30;  // an allocation that would pass it is skipped and counted
  OutcomeObserver* observer = nullptr;
  bool print_steps = false;               // for --gdb and debugging: each step to stderr before it runs
  uint64_t fork_limit_ms = 5'000;         // a forked child without a report by then hangs
  uint64_t break_at_line = kNoOperation;  // calls assay_breakpoint() before this operation
  uint64_t break_at_member = 0;
  // Written before each step, so that a watchdog or a signal handler in another process knows where we are; may be
  // null.
  struct Progress* progress = nullptr;
  // The run is one of several that are compared: what it answers is noted there.
  struct Comparison* comparison = nullptr;
  // Where the system calls of the program are noted, if anywhere.
  struct OsCallLog* os_calls = nullptr;
  // Where the failures that came are noted, if anywhere; cleared first.
  class CameFailures* came_failures = nullptr;
};

// Lives in memory shared with the watching process.
struct Progress {
  volatile uint64_t steps = 0;  // grows; standing still for too long is a hang
  volatile uint64_t line = kNoOperation;
  volatile uint64_t member = 0;
  volatile uint8_t op_code = 255;
  volatile uint8_t in_subject = 0;   // 1 while a call into the subject is under way, kInBlock while a block of
                                     // its is read or written; with 0 a crash is ours
  volatile uint8_t in_call = 0;      // 1 while the call that the step is about is under way: what it does belongs
                                     // to the schedule, what the harness asks beside it does not
  volatile int32_t thread_id = 0;    // kernel's id of the thread that runs the step
  volatile uint64_t trace_hash = 0;  // of the outcomes before it
};
inline constexpr uint8_t kInSubject = 1;
inline constexpr uint8_t kInBlock = 2;

inline constexpr size_t kOpKinds = 256;
struct RunResult {
  Violation violation;
  uint64_t executed = 0;
  uint64_t skipped = 0;
  uint64_t preemptions = 0;                // of a thread that could have gone on, in mode schedule
  std::array<uint32_t, kOpKinds> tried{};  // by opcode, executed or skipped
  std::array<uint32_t, kOpKinds> executed_by_op{};
  std::array<uint32_t, kOpKinds> succeeded{};
  uint64_t os_calls = 0;         // system calls that the subject was about to make
  uint64_t failed_os_calls = 0;  // of these, what the program let fail
  uint64_t null_by_failure = 0;  // calls of the subject that answered NULL because of that
  // The first failure of the program whose call never came: `misses_failure`, and where.
  bool misses_failure = false;
  Failure missed;
  uint64_t missed_line = kNoOperation;
  uint64_t trace_hash = 0;  // of every outcome; addresses count only where they are deterministic
};

// Runs `steps` in text order; an operation of @tN runs on a real thread of its own while all others wait. The subject
// is reset first where it can be. Everything still live at the end is checked and freed by t0 after the other threads
// ended.
RunResult run_sequential(StepSource& steps, const Subject& subject, const RunOptions& options);

// Runs the threads of `program` at the same time, as they come; only what Order says waits. What the threads do to one
// another differs from run to run. The rest is as above.
RunResult run_free(const Program& program, const Subject& subject, const RunOptions& options);

// As the mode says. Throws InputError where the subject or the program does not permit the mode.
RunResult run_in_mode(const Program& program, Mode mode, const Subject& subject, const RunOptions& options);

}  // namespace assay
