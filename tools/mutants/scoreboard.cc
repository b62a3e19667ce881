#include "tools/mutants/scoreboard.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::mutants {

int killed(const std::vector<Row>& rows) {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.killed; }));
}

std::string heading(bool blind) {
  return fmt::format("{:<26} {:<9} {:<28} {:<12} {:>7} {:>9} {:>7}{:>13}  {}", "mutant", "", "expected", "caught by",
                     "seconds", "programs", "replay", blind ? "blind" : "", "build");
}

std::string text(const Row& row) {
  std::string blind;
  if (row.killed_blind) {
    blind = fmt::format("{}/{}", *row.killed_blind, kBlindHunts);
    if (*row.killed_blind > 0) blind += fmt::format(" {:.1f} s", row.blind_seconds);
  }
  const std::string expected = row.mutant.oracles.empty() ? "any" : row.mutant.oracle_names();
  return fmt::format("{:<26} {:<9} {:<28} {:<12} {:>7.1f} {:>9} {:>7}{:>13}  {:.0f} s", row.mutant.name,
                     row.killed ? "killed" : "SURVIVED", expected, row.oracle == Oracle::kNone ? "-" : name(row.oracle),
                     row.seconds, row.programs, row.killed_by_replay ? "yes" : "no", blind, row.build_seconds);
}

nlohmann::json json(const std::vector<Row>& rows, const Control& control) {
  nlohmann::json fields;
  fields["killed"] = killed(rows);
  fields["total"] = rows.size();
  fields["control"] = {{"programs", control.programs}, {"violations", control.violations}};
  fields["mutants"] = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::json object = {{"name", row.mutant.name},
                             {"target", row.mutant.target},
                             {"expected_oracle", row.mutant.oracle_names()},
                             {"oracle", row.oracle == Oracle::kNone ? "" : name(row.oracle)},
                             {"killed", row.killed},
                             {"killed_by_replay", row.killed_by_replay},
                             {"seconds", row.seconds},
                             {"processor_seconds", row.processor_seconds},
                             {"programs", row.programs},
                             {"build_seconds", row.build_seconds}};
    if (row.killed_blind) {
      object["killed_blind"] = *row.killed_blind;
      object["blind_seconds"] = *row.killed_blind > 0 ? nlohmann::json(row.blind_seconds) : nlohmann::json();
    }
    fields["mutants"].push_back(object);
  }
  return fields;
}

}  // namespace assay::mutants
