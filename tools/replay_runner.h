// Running one program file on one subject, each time in a fresh process, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/exec/worker.h"
#include "harness/op/form.h"
#include "harness/op/program.h"

namespace assay {

// A file that has been read and checked, in whichever form it is. A trace stays on disk.
struct ReplayInput {
  std::string file;
  Form form = Form::kBytes;
  Program program;  // of text and bytes
  size_t trace_processes = 0;
  // A text whose failures need not all come: it is about to lose those that do not.
  bool may_have_dead_failures = false;
};

// Throws InputError for what cannot be replayed, so that all is refused before anything runs.
ReplayInput load_replay_input(const std::string& file);

struct ReplayVerdict {
  Violation violation;      // of the first run that had one
  std::string token;        // its DEDUP_TOKEN, "" where there was none
  uint64_t operations = 0;  // executed in the first run, a trace's processes summed
  uint64_t skipped = 0;
  uint64_t failed_os_calls = 0;  // system calls that failed in the first run
  uint64_t times_seen = 0;       // runs that ended in this token
  uint64_t times_run = 0;
  size_t trace_process = 0;            // the process of a trace that had it
  std::vector<uint64_t> trace_hashes;  // one a run
  std::vector<CameFailure> came;       // failures that came in the run of `violation`, in the first one without
  std::string subject_version;
};

// Runs programs on one subject. The constructor opens the subject in a process of its own and throws InputError when it
// cannot be one, or when the flavour has not been built.
class ReplayRunner {
 public:
  ReplayRunner(const std::string& subject, const std::string& flavour, Mode mode, std::string stderr_path = "");

  // Throws InputError when a failure of a text never comes: it would test nothing, and its author thinks it does. In
  // mode free that is a matter of chance.
  ReplayVerdict run(const ReplayInput& input, uint64_t times, bool print_steps = false);

  // The program that was run, without the failures that did not come in the run that the verdict is of. In mode free it
  // is as it was, since they may come in another run.
  Program that_came(const ReplayInput& input, const ReplayVerdict& verdict) const;

  const std::string& subject() const { return subject_; }
  const std::string& flavour() const { return flavour_; }
  Mode mode() const { return command_.mode; }
  // Of the last run.
  const WorkerCommand& command() const { return command_; }

 private:
  void choose_worker(const ReplayInput& input);
  RunResult run_once(const ReplayInput& input, bool print_steps, ReplayVerdict& verdict);

  std::string subject_, flavour_;
  WorkerCommand usual_, command_;
  std::vector<CameFailure> came_;  // in the latest run
};

}  // namespace assay
