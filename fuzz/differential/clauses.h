// The conformance table: what each allocator answers where the standard, or its own manual, is asked a plain question.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/exec/differential.h"

namespace assay {

enum class ClauseAsk : uint8_t { kAnswer, kHolds, kDoesNotGrow, kStays, kAlignment, kUsable };

struct Clause {
  std::string_view id;
  ClauseAsk ask;
  std::string_view clause;
  std::string_view question;
  std::string_view program;  // lines of the text form, without its first
};
const std::vector<Clause>& all_clauses();

// What the subject says, in a few words. "-" where it lacks the function.
std::string ask_clause(const Clause& clause, Lane& lane);

}  // namespace assay
