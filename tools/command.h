// Other programs that a subcommand starts: a compiler, a fuzz binary, a benchmark. They end with the tool.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace assay {

struct Command {
  std::vector<std::string> argv;
  std::filesystem::path folder;                                  // "": where the tool runs
  std::vector<std::pair<std::string, std::string>> environment;  // beside the tool's own
  std::filesystem::path output;                                  // file for stdout and stderr; "": /dev/null
};

struct CommandResult {
  int status = 0;  // exit status, 128 + n for a signal, 127 when it could not be started
  bool timed_out = false;
  double seconds = 0;
  double cpu_seconds = 0;
  long peak_rss_kib = 0;
  long minor_faults = 0;
};

// A process under way. Killed, with its group, when this goes out of scope before wait() has seen its end.
class RunningCommand {
 public:
  explicit RunningCommand(const Command& command);
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  // Waits for its end; after `limit` it is killed.
  CommandResult wait(std::optional<std::chrono::milliseconds> limit = std::nullopt);
  void terminate() const;  // SIGTERM to its group

 private:
  pid_t pid_ = -1;
  std::chrono::steady_clock::time_point start_;
};

inline CommandResult run_command(const Command& command,
                                 std::optional<std::chrono::milliseconds> limit = std::nullopt) {
  return RunningCommand(command).wait(limit);
}

}  // namespace assay
