// From a program that shows a violation to the shortest one that shows the same: how often it shows is measured first,
// and the result is confirmed in fresh processes.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "harness/exec/worker.h"
#include "harness/op/program.h"
#include "harness/oracle/violation.h"

namespace assay {

struct MinimisationOptions {
  std::chrono::seconds budget{300};  // then the best program so far is the result
  std::FILE* progress = nullptr;     // a terminal, or null
  bool any = false;                  // whatever is violated will do, not only what the original shows
};

// How often a program shows a violation, in fresh processes.
struct Showing {
  std::string token;    // the expected one if that was seen, else the most frequent; "" when clean
  Violation violation;  // of the first run with that token
  uint64_t seen = 0;
  uint64_t runs = 0;
  std::vector<CameFailure> came;  // of the first run with that token
  bool always() const { return runs > 0 && seen == runs; }
};
// `least_runs` when they agree; forty when some show the token; twenty when none does.
Showing observe(const WorkerCommand& command, const Program& program, const std::string& expected,
                uint64_t least_runs = 5);

struct Minimisation {
  Program program;
  Showing showing;   // of the result
  Showing original;  // of the program that it was made from, measured again where five runs misled
  uint64_t tries = 0;
  bool stopped_early = false;
};
// `program` shows `original`. The result has no failure that does not come (in mode free that is a matter of chance),
// shows the same token (or any, where that will do; its rate is within what RateTest allows), and is the program itself
// where nothing shorter could be confirmed.
Minimisation minimise_on(const WorkerCommand& command, const Program& program, const Showing& original,
                         const MinimisationOptions& options);

}  // namespace assay
