#include "fuzz/differential/clauses.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "harness/op/encode.h"
#include "harness/op/text.h"

namespace assay {
namespace {

constexpr uint64_t kLargestAlignment = 4096;

// What the last line answered; empty where the run did not come to it.
std::vector<StepAnswer> answers_of_last_line(const Comparison& seen) {
  std::vector<StepAnswer> last;
  for (const StepAnswer& answer : seen.seen()) {
    if (!last.empty() && last.front().line != answer.line) last.clear();
    last.push_back(answer);
  }
  return last;
}

std::string least_alignment(const std::vector<StepAnswer>& answers) {
  uint64_t least = kLargestAlignment;
  for (const StepAnswer& answer : answers) {
    if (answer.address == 0) return "NULL";
    least = std::min(least, uint64_t{1} << std::countr_zero(answer.address));
  }
  return std::to_string(least);
}

}  // namespace

const std::vector<Clause>& all_clauses() {
  static const std::vector<Clause> clauses = {
#define ASSAY_CLAUSE(id, ask, clause, question, program) {#id, ClauseAsk::ask, clause, question, program},
#include "fuzz/differential/clauses.def"
#undef ASSAY_CLAUSE
  };
  return clauses;
}

std::string ask_clause(const Clause& clause, Lane& lane) {
  const Program program = parse_text("assay 1\n" + std::string(clause.program) + "\n", std::string(clause.id));
  const std::vector<uint8_t> bytes = encode(program);
  WorkRequest request;
  request.bytes = bytes;
  request.compares = true;
  request.askable.fill(true);
  // Takes longer than all the others together.
  request.check_growth = clause.ask == ClauseAsk::kDoesNotGrow;
  const RunResult result = lane.run(request, program);
  if (result.violation) return fmt::format("breaks {}", name(result.violation.oracle));
  const std::vector<StepAnswer> answers = answers_of_last_line(lane.seen());
  if (answers.empty() || answers.back().skipped) return "-";
  const StepAnswer& answer = answers.back();
  switch (clause.ask) {
    case ClauseAsk::kAnswer: return text_of(lane_answer(answer)) + (answer.unlawful ? " (!)" : "");
    case ClauseAsk::kHolds:
    case ClauseAsk::kDoesNotGrow: return "yes";
    case ClauseAsk::kStays: return answer.stayed ? "stays" : "moves";
    case ClauseAsk::kAlignment: return least_alignment(answers);
    case ClauseAsk::kUsable: return answer.address == 0 ? "NULL" : std::to_string(answer.usable);
  }
  return "";
}

}  // namespace assay
