// A process that runs programs for us and may die of them: each replay has a fresh one, and a fuzz target keeps one for
// a subject that cannot be loaded beside it. Death and silence come back as violations.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/exec/worker_channel.h"

namespace assay {

struct WorkerCommand {
  std::vector<std::string> arguments;    // executable first; "--channel N" is appended
  std::vector<std::string> environment;  // "NAME=value", added to ours or replacing it there
  Mode mode = Mode::kSequential;         // in which programs run
  std::string stderr_path;               // appended to; "" leaves the worker our stderr
  uint64_t start_limit_ms = 60'000;
  uint64_t silence_limit_ms = 10'000;  // an operation without progress for as long is a hang
};

// What to run: bytes in the byte form, else the file in any form (of a trace, one process).
struct WorkRequest {
  std::span<const uint8_t> bytes;
  std::string file;
  bool trace = false;
  uint32_t trace_process = 0;
  RunOptions options;  // observer and progress are the worker's own
  bool observe = false;
  std::optional<ExploreLimits> explore;  // in mode schedule: many runs, until one has a violation
  bool compares = false;                 // notes what was seen, and does what `drops` says
  std::span<const Drop> drops;           // in the order of the steps, at most kMaxDrops
  AskableOperations askable{};           // by all that are compared
  bool logs_os_calls = false;
  bool keeps_process = false;  // a strict comparison takes the process of the one before; else each a fresh one
  bool check_growth = true;    // takes a few tenths of a second where there is no seam to ask
};

class Worker {
 public:
  explicit Worker(WorkerCommand command);
  ~Worker();  // kills the process
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs one program, in the process of the previous one when it still lives, else in a new one. A worker that crashed,
  // aborted, exited or fell silent is a violation, and gone. Throws InputError where the worker refuses its input, and
  // std::runtime_error for a fault of the harness.
  RunResult run(const WorkRequest& request);
  // Starts the process, if none lives: what cannot run is refused here. Throws as run() does.
  void start();
  // The next run() starts a new process.
  void stop();
  // Of the last run that asked to `observe`.
  const OutcomeCounters::Cells& counters() const { return channel_->counters; }

  // Of the last run.
  const CameFailures& came_failures() const { return channel_->came; }

  // Of the last run that asked for it, also of one that died.
  const Comparison& comparison() const { return channel_->comparison; }

  // Of the last run that asked for it, also of one that died.
  const OsCallLog& os_calls() const { return *reinterpret_cast<const OsCallLog*>(channel_->os_calls); }

  // Of the last run in mode schedule.
  const Exploration& exploration() const { return channel_->exploration; }

  // Known once the process was started.
  std::string subject_version() const { return channel_->subject_version; }
  uint64_t coverage_counters() const { return channel_->coverage_counters; }
  bool resettable() const { return channel_->resettable; }
  const AskableOperations& askable() const { return channel_->askable; }

 private:
  void open_channel();
  void close_channel();
  // In a forked copy of the process that started it: forgets that process's worker, who does not work for two.
  void leave_to_parent();
  [[noreturn]] void give_up(const std::string& why);
  void await_start();
  RunResult await_result(const WorkRequest& request);
  RunResult died(int status, const WorkRequest& request);
  // Of a death outside the subject: whether the subject is to blame all the same.
  bool ruined_by_the_subject(int status, const WorkRequest& request) const;
  bool was_kept_waiting(uint64_t silence_ms, uint64_t cpu_used_ms) const;
  RunResult fell_silent();
  // Lets the thread that hangs fill in the frame of `crash`.
  void ask_where();
  // True when the process has ended; it is reaped then and `status` filled in.
  bool ended(int& status);

  WorkerCommand command_;
  int channel_fd_ = -1;
  WorkerChannel* channel_ = nullptr;
  pid_t pid_ = -1;
  pid_t owner_ = -1;
};

}  // namespace assay
