// The sweep: each system call that a program makes fails in turn, in a run of its own. Whether a run went well is for
// the oracles to say: an operation succeeds or answers NULL with ENOMEM, every live block is intact, the structure is
// in order, and after os_heal() a hundred operations succeed and memory comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "harness/exec/came_failures.h"
#include "harness/exec/run.h"
#include "harness/exec/seam_watch.h"

namespace assay {

enum class SweepHow : uint8_t { kOnce, kPersistent };

// Runs a program under every oracle, in a process that may die of it, and notes which of its failures came, and its
// system calls where `log` is given. Both lie in shared memory.
using RunForSweep = std::function<RunResult(const Program& program, OsCallLog* log, CameFailures* came)>;

// A program with the failure that showed something.
struct SweepFind {
  Program program;
  Violation violation;
};

struct SweepCounts {
  uint64_t points = 0;       // calls that were made to fail, or should have been
  uint64_t fired = 0;        // of these, the ones that came
  uint64_t null_enomem = 0;  // of these, the ones that made some call answer NULL with ENOMEM
  uint64_t unaffected = 0;   // and the ones that nobody saw
  uint64_t violations = 0;   // and the ones that showed something

  void operator+=(const SweepCounts& other);
};

// The same by the place in the subject's source that makes the call.
struct SweptSite {
  OsCallSite site;
  SystemCall call;
  SweepCounts counts;
};

// Adds to the entry of the site, which is made when there is none.
void add_to_site(std::vector<SweptSite>& sites, const SweptSite& more);

struct SweepResult {
  SweepCounts all;
  std::vector<SweptSite> sites;
  std::vector<SweepFind> finds;
};

// `program` must be clean by itself; when it is not, its violation is the only find. Of a subject whose runs are alike
// (`repeats`) throws std::runtime_error when a call past the last one comes, since then nothing was proved; another's
// calls may depend on the time.
SweepResult sweep(const Program& program, SweepHow how, const RunForSweep& run, bool repeats = true);

// The program with os_heal() and the hundred operations, on slots of their own, before its end.
Program with_aftermath(const Program& program);

}  // namespace assay
