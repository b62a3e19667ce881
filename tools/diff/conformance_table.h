// docs/conformance.md: every subject asked about every clause.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/differential/clauses.h"

namespace assay {

struct ConformanceRow {
  const Clause* clause;
  std::vector<std::string> answers;  // one a subject
};
struct ConformanceTable {
  std::vector<std::string> subjects;
  std::vector<std::string> versions;
  std::vector<ConformanceRow> rows;
};

// Each clause is asked in a fresh process of the subject; `executable` answers to "serve-worker". Throws InputError for
// a subject that cannot be opened, before any is asked.
ConformanceTable ask_all(const std::vector<std::string>& subjects, const std::string& executable);

std::string as_markdown(const ConformanceTable& table);
nlohmann::json as_json(const ConformanceTable& table);

}  // namespace assay
