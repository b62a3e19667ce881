// One target hunting one subject for some time: corpus, processes, live figures, finds.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/fuzz/engine_process.h"
#include "tools/fuzz/figures.h"
#include "tools/fuzz/findings.h"
#include "tools/fuzz/options.h"

namespace assay {

// Set by SIGINT and SIGTERM while a campaign runs: it ends early, with its summary.
bool interrupted();
void watch_for_interrupts();

class FuzzCampaign {
 public:
  // `out` gets the live line, reports and the summary.
  FuzzCampaign(const FuzzOptions& options, std::string target, Mode mode, std::string subject, uint64_t seconds,
               std::FILE* out);
  ~FuzzCampaign();

  // Throws InputError when the target refuses to start, and std::runtime_error for a fault of the harness.
  void run();

  nlohmann::json figures() const { return figures_json(target_, subject_, mode_, options_.engine, figures_); }
  const Findings& findings() const { return *findings_; }

 private:
  using Clock = std::chrono::steady_clock;

  void prepare_folders();
  void copy_seeds(const std::filesystem::path& from);
  void start_processes();
  // Looks after each process once; false when the campaign is over.
  bool tend();
  bool on_end(EngineProcess& process, int status);
  bool on_artifacts(EngineProcess& process);
  std::string kept_evidence(EngineProcess& process);
  void note_stability();
  void show_status(bool force);
  double elapsed() const;
  uint64_t next_seed();

  const FuzzOptions& options_;
  std::string target_, subject_;
  Mode mode_;
  uint64_t seconds_;
  std::FILE* out_;
  std::filesystem::path corpus_, scratch_, seeds_;
  std::string binary_, figures_file_;
  std::vector<std::unique_ptr<EngineProcess>> processes_;
  std::unique_ptr<Findings> findings_;
  FuzzFigures figures_, shown_;
  Clock::time_point start_, last_shown_, newest_edge_;
  uint64_t starts_ = 0;
  std::optional<double> stability_;  // the lowest
};

}  // namespace assay
