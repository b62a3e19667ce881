// The figures of a campaign, summed over its processes: for the live line, the summary and the JSON object.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/fuzz/engine_process.h"

namespace assay {

struct FuzzFigures {
  uint64_t programs = 0;
  uint64_t executed = 0;
  uint64_t skipped = 0;
  uint64_t preemptions = 0;
  std::array<uint64_t, kOpKinds> executed_by_op{};
  uint64_t edges = 0;  // counters hit, of whichever kind guides the engine
  uint64_t allocator_counters = 0;
  uint64_t allocator_counters_hit = 0;
  uint64_t corpus_files = 0;
  uint64_t violations = 0;
  double seconds = 0;
  std::optional<double> stability;  // in percent, where the engine measures it

  double programs_per_second() const { return seconds > 0 ? static_cast<double>(programs) / seconds : 0; }
  double operations_per_second() const { return seconds > 0 ? static_cast<double>(executed) / seconds : 0; }
  double mean_operations() const {
    return programs > 0 ? static_cast<double>(executed) / static_cast<double>(programs) : 0;
  }
  double preemptions_mean() const {
    return programs > 0 ? static_cast<double>(preemptions) / static_cast<double>(programs) : 0;
  }
  double skipped_fraction() const;
};

FuzzFigures sum_figures(const std::vector<std::unique_ptr<EngineProcess>>& processes);

// One line: elapsed and budget, programs/s, operations/s, coverage, corpus, age of the newest edge, violations. The
// rates are those since `before`.
std::string live_line(const FuzzFigures& now, const FuzzFigures& before, uint64_t budget_seconds,
                      double newest_edge_age_seconds);

// Several lines for the end.
std::string summary(const std::string& target, const std::string& subject, const FuzzFigures& figures);

nlohmann::json figures_json(const std::string& target, const std::string& subject, Mode mode, Engine engine,
                            const FuzzFigures& figures);

}  // namespace assay
