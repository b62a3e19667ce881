// Each row of the ledger is needed: with it its witness agrees, without it the witness diverges.
#include "fuzz/differential/ledger.h"

#include <gtest/gtest.h>

#include <set>

#include "fuzz/differential/lockstep.h"
#include "harness/exec/worker_command.h"
#include "harness/op/encode.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"

namespace assay {
namespace {

class LedgerRowTest : public testing::TestWithParam<LedgerRow> {};

// Null where one of them is not here.
std::unique_ptr<Lockstep> open_with(std::vector<LedgerRow> rows, std::string_view subjects, std::string& why) {
  std::vector<std::unique_ptr<Lane>> lanes;
  try {
    for (const std::string& subject : split_subjects(subjects)) {
      lanes.push_back(must_run_apart(subject) ? lane_in_worker(subject, worker_apart(subject))
                                              : lane_in_process(subject, open_subject(subject)));
    }
  } catch (const InputError& error) {
    why = error.message;
    return nullptr;
  }
  return std::make_unique<Lockstep>(std::move(lanes), DifferenceLedger(std::move(rows)));
}

bool has_other_version(const Lockstep& lockstep, const LedgerRow& row) {
  for (const LaneName& name : lockstep.names()) {
    if (name.subject == row.subject && !name.version.starts_with(row.version)) return true;
  }
  return false;
}

ComparisonResult run(Lockstep& lockstep, const LedgerRow& row) {
  const Program program = parse_text("assay 1\n" + std::string(row.witness), std::string(row.id));
  const std::vector<uint8_t> bytes = encode(program);
  WorkRequest request;
  request.bytes = bytes;
  request.check_growth = false;
  return lockstep.compare(request, program, [](const Difference&) { return false; });
}

TEST_P(LedgerRowTest, IsNeededByItsWitness) {
  const LedgerRow& row = GetParam();
  std::vector<LedgerRow> others;
  for (const LedgerRow& other : all_ledger_rows()) {
    if (other.id != row.id) others.push_back(other);
  }
  std::string why;
  const auto with = open_with(all_ledger_rows(), row.between, why);
  if (with == nullptr) GTEST_SKIP() << why;
  if (has_other_version(*with, row)) GTEST_SKIP() << "another version of " << row.subject << " is here";
  const ComparisonResult settled = run(*with, row);
  EXPECT_FALSE(settled.divergence) << with->violation_of(*settled.divergence).sentence << " "
                                   << with->violation_of(*settled.divergence).seen;
  ASSERT_EQ(settled.permitted.size(), 1u);
  EXPECT_EQ(with->ledger().settles(settled.permitted.front(), with->names())->id, row.id);
  const auto without = open_with(others, row.between, why);
  const ComparisonResult unsettled = run(*without, row);
  EXPECT_TRUE(unsettled.divergence) << "of a known bug: it is not there any more; the row goes";
}

INSTANTIATE_TEST_SUITE_P(Rows, LedgerRowTest, testing::ValuesIn(all_ledger_rows()),
                         [](const auto& test) { return std::string(test.param.id); });

TEST(Ledger, SaysOfEachRowWhatAndWhy) {
  std::set<std::string_view> ids;
  for (const LedgerRow& row : all_ledger_rows()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.clause.empty() || row.why.empty() || row.witness.empty() || row.between.empty()) << row.id;
    if (row.known_bug()) EXPECT_FALSE(row.version.empty() || row.reference.empty()) << row.id;
  }
}

TEST(Ledger, AKnownBugIsThatOfItsVersionOnly) {
  for (LedgerRow row : all_ledger_rows()) {
    if (!row.known_bug()) continue;
    row.version = "another";
    std::string why;
    const auto other = open_with({row}, row.between, why);
    if (other == nullptr) continue;
    EXPECT_TRUE(run(*other, row).divergence) << row.id;
  }
}

}  // namespace
}  // namespace assay
