// Runs programs that exist in memory only, in a process that may die of them.
#pragma once

#include <optional>
#include <string>

#include "harness/exec/worker.h"
#include "harness/op/program.h"

namespace assay {

struct RunnerOptions {
  // Of a subject that can be reset, one process runs program after program; else each has a fresh one.
  bool reuse_process = false;
  uint64_t silence_limit_ms = 10'000;
  uint64_t fork_limit_ms = 5'000;
  // The footprint of a subject without a seam; takes longer than all else.
  bool check_growth = true;
  // The system calls of each program are noted.
  bool logs_os_calls = false;
};

class ProgramRunner {
 public:
  ProgramRunner(const WorkerCommand& command, const RunnerOptions& options);
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  RunResult run(const Program& program);
  // Of the last run.
  const CameFailures& came_failures() const { return worker_.came_failures(); }
  const OsCallLog& os_calls() const { return worker_.os_calls(); }
  std::string subject_version() const { return worker_.subject_version(); }
  // Starts the process: throws what run() would, where the subject cannot be opened.
  void start() { worker_.start(); }
  // The token of run(program), "" where nothing was violated.
  std::string token(const Program& program);

 private:
  void write_file(const Program& program);

  RunnerOptions options_;
  Worker worker_;
  int file_ = -1;  // in memory; the worker reads it through /proc
  std::string path_;
};

}  // namespace assay
