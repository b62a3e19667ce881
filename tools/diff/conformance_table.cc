#include "tools/diff/conformance_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fuzz/differential/lockstep.h"

namespace assay {
namespace {

constexpr const char* kHead =
    "# What allocators answer\n"
    "\n"
    "Each row is a small program (`fuzz/differential/clauses.def`), run on each allocator in a fresh process under "
    "every\n"
    "oracle; the cell is what came of its last line. \"(!)\": against the clause, \"breaks X\": oracle X objected,\n"
    "\"-\": no such function. Made by `./assay diff --table -o docs/conformance.md`; a test holds the columns of "
    "ximalloc\n"
    "and libc to what they answer today.\n"
    "\n";

std::string row_text(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

}  // namespace

ConformanceTable ask_all(const std::vector<std::string>& subjects, const std::string& executable) {
  ConformanceTable table{.subjects = subjects, .versions = {}, .rows = {}};
  std::vector<std::unique_ptr<Lane>> lanes;
  for (const std::string& subject : subjects) {
    lanes.push_back(open_lane(subject, executable));
    table.versions.push_back(lanes.back()->version());
  }
  for (const Clause& clause : all_clauses()) {
    ConformanceRow& row = table.rows.emplace_back(ConformanceRow{&clause, {}});
    for (const auto& lane : lanes) row.answers.push_back(ask_clause(clause, *lane));
  }
  return table;
}

std::string as_markdown(const ConformanceTable& table) {
  std::string page = kHead;
  std::vector<std::string> head = {"clause", "question"}, line = {"---", "---"};
  for (size_t i = 0; i < table.subjects.size(); ++i) {
    head.push_back(table.subjects[i] == table.versions[i]
                       ? table.subjects[i]
                       : fmt::format("{} ({})", table.subjects[i], table.versions[i]));
    line.emplace_back("---");
  }
  page += row_text(head) + row_text(line);
  for (const ConformanceRow& row : table.rows) {
    std::vector<std::string> cells = {std::string(row.clause->clause), std::string(row.clause->question)};
    cells.insert(cells.end(), row.answers.begin(), row.answers.end());
    page += row_text(cells);
  }
  return page;
}

nlohmann::json as_json(const ConformanceTable& table) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ConformanceRow& row : table.rows) {
    nlohmann::json answers = nlohmann::json::object();
    for (size_t i = 0; i < table.subjects.size(); ++i) answers[table.subjects[i]] = row.answers[i];
    rows.push_back({{"id", row.clause->id},
                    {"clause", row.clause->clause},
                    {"question", row.clause->question},
                    {"answers", std::move(answers)}});
  }
  return rows;
}

}  // namespace assay
