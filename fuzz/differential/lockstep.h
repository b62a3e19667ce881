// Subjects that are held to one another by the ledger: what `assay diff` shows, and what a fuzz target and a replay
// take for one subject with a name like "ximalloc,mimalloc,jemalloc".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fuzz/differential/ledger.h"
#include "harness/exec/compared_subjects.h"
#include "harness/exec/differential.h"

namespace assay {

class Lockstep final : public ComparedSubjects {
 public:
  explicit Lockstep(std::vector<std::unique_ptr<Lane>> lanes, DifferenceLedger ledger = DifferenceLedger());

  // The divergence, if there is one, as a violation: of the oracle that a subject broke, with the subject named, else
  // of "divergence", with the subjects that answered otherwise than the first one for its frame.
  RunResult run(const WorkRequest& request, const Program& program) override;
  std::string version() const override;

  // `tolerates` is asked where the ledger settles nothing: true lets the comparison go on.
  ComparisonResult compare(const WorkRequest& request, const Program& program, const DifferenceJudge& tolerates);
  Violation violation_of(const Difference& difference) const;
  const std::vector<LaneName>& names() const { return names_; }
  const DifferenceLedger& ledger() const { return ledger_; }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<LaneName> names_;
  DifferenceLedger ledger_;
};

// One subject in a process of its own; `executable` answers to "serve-worker". Throws InputError as Worker::start().
std::unique_ptr<Lane> open_lane(const std::string& subject, const std::string& executable);

// Each subject in a process of its own; `executable` answers to "serve-worker". Throws InputError as split_subjects()
// and Worker::start() do.
std::unique_ptr<Lockstep> open_in_workers(const std::string& list, const std::string& executable);

// Each in this process, where it can be, else in one of its own. Needs ensure_static_tls(). Throws likewise.
std::unique_ptr<Lockstep> open_beside(const std::string& list);

}  // namespace assay
