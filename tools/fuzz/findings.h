// From an input that ended a fuzz process to a finding: run again in fresh processes, named by the token of the strict
// replay, kept once for each token, as bytes and as text.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/fuzz/engine_process.h"
#include "tools/fuzz/options.h"
#include "tools/replay_runner.h"

namespace assay {

struct Finding {
  std::string file;  // bytes; the text where the byte form cannot hold it
  std::string text;
  std::string token;
  std::string oracle;
  std::optional<uint64_t> operation_index;
  uint64_t times_seen = 0;
  uint64_t times_run = 0;
  std::string report;
};

// kNothing: of what ended a process no more is known than that it did not happen again.
enum class Novelty { kNew, kSeenBefore, kKnown, kNothing };

class Findings {
 public:
  Findings(const FuzzOptions& options, std::string target, Mode mode, std::string subject, std::filesystem::path folder,
           std::filesystem::path scratch);

  // Examines what a process left behind. The finding is the new one, or the one of this run with the same token.
  Novelty examine(const EngineArtifact& artifact, const fuzz::StatsPage& stats);
  const Finding& latest() const { return findings_[latest_]; }

  const std::vector<Finding>& all() const { return findings_; }
  nlohmann::json json() const;

 private:
  Finding reproduce(const ReplayInput& input, const fuzz::StatsPage& stats, Program& program);
  std::filesystem::path base_path(const std::string& token) const;
  const Finding* with_token(const std::string& token) const;
  void write(Finding& finding, Program program);
  ReplayRunner& runner();

  const FuzzOptions& options_;
  std::string target_, subject_;
  Mode mode_;
  std::filesystem::path folder_, scratch_;
  std::unique_ptr<ReplayRunner> runner_;
  std::vector<Finding> findings_;
  size_t latest_ = 0;
};

}  // namespace assay
