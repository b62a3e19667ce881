// The ledger: in what sound allocators may differ, and which of their bugs are known. What is not in it is a
// divergence.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/exec/differential.h"
#include "harness/oracle/request.h"

namespace assay {

// Whether a row speaks of this step, which is the difference's.
using LedgerCondition = bool (*)(const Step& step, const Request& request, const Difference& difference);

struct LedgerRow {
  std::string_view id;
  LedgerCondition applies = nullptr;
  std::string_view answers;  // permitted ones, as text_of() has them, parted by '|'; of a known bug, what it looks like
  std::string_view clause;
  std::string_view why;
  std::string_view between;  // the subjects whose answers to the witness differ
  std::string_view witness;  // a program in which exactly this row is needed, once
  // Of a known bug only; else "".
  std::string_view subject;
  std::string_view version;    // the beginning of what the subject says of itself
  std::string_view reference;  // where it is reported, or what shows it

  bool known_bug() const { return !subject.empty(); }
};

const std::vector<LedgerRow>& all_ledger_rows();

// Who took part; parallel to the answers of a Difference.
struct LaneName {
  std::string subject;
  std::string version;
};

class DifferenceLedger {
 public:
  explicit DifferenceLedger(std::vector<LedgerRow> rows = all_ledger_rows()) : rows_(std::move(rows)) {}

  // The row that settles the difference, a known bug before a permission; null where none does. Where a known bug
  // explains one subject's answer, the others still have to agree, or to be permitted what they differ in.
  const LedgerRow* settles(const Difference& difference, std::span<const LaneName> lanes) const;

 private:
  bool is_known(const LedgerRow& row, const Difference& difference, size_t lane, const LaneName& name) const;

  std::vector<LedgerRow> rows_;
};

// The clause that a step is about, for a person: of the standard where it has one.
std::string clause_of(OpCode code);

}  // namespace assay
