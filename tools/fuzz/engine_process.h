// One running process of an engine: its folder, its figures, and how it ended. libfuzzer_process.cc and afl_process.cc
// know the engines.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/support/stats_page.h"
#include "tools/fuzz/options.h"

namespace assay {

struct EngineCommand {
  std::string binary;
  std::string subject;
  Mode mode = Mode::kSequential;
  std::filesystem::path corpus;  // grows
  std::filesystem::path seeds;   // only read
  std::filesystem::path folder;  // of this process alone: artifacts, log, figures
  unsigned job = 0;              // which of several
  bool shares_corpus = false;    // looks for what other jobs put into the corpus
};

// An engine's own limits, longer than the worker's watchdog (10 s), so that a hang there is seen by the one who knows
// the operation.
inline constexpr unsigned kEngineTimeoutSeconds = 15;

// An input that an engine left behind.
struct EngineArtifact {
  std::filesystem::path file;
  // A process ended by it, and the engine went on without a word: that may have been a signal or patience running out.
  bool was_passed_over = false;
};

class EngineProcess {
 public:
  virtual ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  // Starts it, for the first time or again with another seed; figures go on. `seconds` is the engine's own limit; the
  // driver ends it earlier.
  virtual void start(uint64_t seed, uint64_t seconds) = 0;
  // The wait status once it has ended; nothing while it runs.
  virtual std::optional<int> poll();
  // Ends it: gently first, so that no corpus file is left half-written.
  virtual void stop();
  bool running() const { return pid_ > 0; }

  // Inputs that it left behind: each made it crash, hang or take too much memory.
  virtual std::vector<EngineArtifact> artifacts() const = 0;
  // Of the programs that AFL++ ran more than once, the part of the counters that were the same each time.
  virtual std::optional<double> stability() const { return std::nullopt; }
  // The last line of its log that the harness wrote ("assay: …", "HARNESS BUG: …"), or the engine when it gave up, or
  // the very last line.
  std::string last_words() const;
  const std::filesystem::path& log() const { return log_; }

  fuzz::StatsPage& stats() { return *stats_; }
  const fuzz::StatsPage& stats() const { return *stats_; }

 protected:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  explicit EngineProcess(EngineCommand command);
  // Runs the words, found in $PATH, with their output in the log. A variable without value is taken out.
  void spawn(std::vector<std::string> words, const Environment& environment);
  const EngineCommand& command() const { return command_; }
  pid_t pid() const { return pid_; }

 private:
  EngineCommand command_;
  std::filesystem::path log_;
  fuzz::StatsPage* stats_ = nullptr;
  pid_t pid_ = -1;
};

std::unique_ptr<EngineProcess> libfuzzer_process(EngineCommand command);
std::unique_ptr<EngineProcess> afl_process(EngineCommand command);

}  // namespace assay
