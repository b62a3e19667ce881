// The result of a round of mutants, for people and for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/oracle/violation.h"
#include "tools/mutants/expectation.h"

namespace assay::mutants {

struct Row {
  Expectation mutant;
  Oracle oracle = Oracle::kNone;  // that caught it, in the hunt from the committed corpus
  bool killed = false;            // by an oracle that the header names
  bool killed_by_replay = false;
  std::optional<int> killed_blind;  // of kBlindHunts
  double blind_seconds = 0;         // median of those that killed it
  double seconds = 0;
  double processor_seconds = 0;
  uint64_t programs = 0;
  double build_seconds = 0;
};

inline constexpr int kBlindHunts = 5;

struct Control {
  uint64_t programs = 0;
  uint64_t violations = 0;
  Oracle oracle = Oracle::kNone;
  double seconds = 0;
};

int killed(const std::vector<Row>& rows);
std::string heading(bool blind);
std::string text(const Row& row);
nlohmann::json json(const std::vector<Row>& rows, const Control& control);

}  // namespace assay::mutants
