// One running libFuzzer process: its folder, its figures, and how it ended.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/support/stats_page.h"

namespace assay {

struct EngineCommand {
  std::string binary;
  std::string subject;
  Mode mode = Mode::kSequential;
  std::filesystem::path corpus;  // grows
  std::filesystem::path seeds;   // only read
  std::filesystem::path folder;  // of this process alone: artifacts, log, figures
  uint64_t seed = 0;
  uint64_t seconds = 0;        // the engine's own limit; the driver ends it earlier
  bool shares_corpus = false;  // looks for what other jobs put into the corpus
};

class EngineProcess {
 public:
  explicit EngineProcess(EngineCommand command);
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  // Starts it, for the first time or again with another seed; figures go on.
  void start(uint64_t seed, uint64_t seconds);
  // The wait status once it has ended; nothing while it runs.
  std::optional<int> poll();
  // Ends it: gently first, so that no corpus file is left half-written.
  void stop();
  bool running() const { return pid_ > 0; }

  // Inputs that it left behind (crash-…, timeout-…, oom-…), and takes note that they were fetched.
  std::vector<std::filesystem::path> artifacts() const;
  // The last line of its log that the harness wrote ("assay: …", "HARNESS BUG: …"), or the very last line.
  std::string last_words() const;
  const std::filesystem::path& log() const { return log_; }

  fuzz::StatsPage& stats() { return *stats_; }
  const fuzz::StatsPage& stats() const { return *stats_; }

 private:
  std::vector<std::string> arguments(uint64_t seed, uint64_t seconds) const;

  EngineCommand command_;
  std::filesystem::path log_;
  fuzz::StatsPage* stats_ = nullptr;
  pid_t pid_ = -1;
};

}  // namespace assay
