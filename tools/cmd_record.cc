// assay record [-o FILE] -- CMD…: runs a program as it is and keeps what it asks of its allocator, with all its threads
// and children. Exits with the program's status.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "harness/op/program.h"
#include "harness/op/trace.h"
#include "harness/op/trace_format.h"
#include "harness/op/trace_salvage.h"
#include "harness/report/workdir.h"
#include "tools/recorded_command.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

struct RecordOptions {
  std::string output;
  std::vector<std::string> command;
};

std::string default_output(const std::string& program) {
  const std::string name = fmt::format("{}-{}.trace", fs::path(program).filename().string(), getpid());
  return (ensure_dir(traces_dir()) / name).string();
}

// An empty trace; removed again when the program could not be started.
class NewTrace {
 public:
  explicit NewTrace(const std::string& path) : path_(path) {
    struct stat status{};
    if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      throw InputError{path + (S_ISDIR(status.st_mode) ? ": is a directory" : ": is not a regular file")};
    }
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool written = fd >= 0 && write(fd, trace::kFirstLine.data(), trace::kFirstLine.size()) ==
                                        static_cast<ssize_t>(trace::kFirstLine.size());
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!written) throw InputError{fmt::format("{}: cannot be written: {}", path, std::strerror(error))};
  }
  ~NewTrace() {
    if (!kept_) unlink(path_.c_str());
  }
  NewTrace(const NewTrace&) = delete;
  NewTrace& operator=(const NewTrace&) = delete;
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

SubcommandOutcome record(const RecordOptions& options, const GlobalOptions& global) {
  find_program(options.command.at(0));  // refused before anything is written
  const std::string recorder = find_recorder();
  const std::string output = options.output.empty() ? default_output(options.command[0]) : options.output;
  SubcommandOutcome outcome;
  {
    NewTrace trace(output);
    outcome.exit_status = run_recorded({options.command, fs::absolute(output).string(), recorder, global.json});
    trace.keep();
  }

  // The program's own output stays as it is: there is nothing to say unless the trace is not what one would expect.
  const uint64_t dropped = salvage_trace(output);
  const TraceFile trace(output);
  outcome.message = fmt::format("{} processes recorded in {}", trace.processes().size(), output);
  if (dropped > 0) {
    fmt::print(stderr,
               "assay: {}: {} bytes of unfinished chunks were dropped (a process was killed, or the disk is full)\n",
               output, dropped);
  }
  if (trace.processes().empty()) {
    fmt::print(stderr,
               "assay: {}: nothing was recorded: is the program static, privileged, or does it bring its own malloc?\n",
               output);
  } else if (options.output.empty() && !global.json) {
    fmt::print(stderr, "assay: {}\n", outcome.message);
  }
  outcome.fields["output"] = output;
  return outcome;
}

}  // namespace

SubcommandRun add_record(CLI::App& app) {
  auto options = std::make_shared<RecordOptions>();
  app.description("Keep what any program asks of its allocator, and exit with the program's status");
  app.add_option("-o,--output", options->output, "The trace (default: work/traces/<program>-<pid>.trace)");
  app.add_option("CMD", options->command, "The program and its arguments, after --")->required();
  return [options](const GlobalOptions& global) { return record(*options, global); };
}

}  // namespace assay
