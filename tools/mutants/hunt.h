// Hunts a mutant, or the allocator as it is, with a fuzz target, with a search through all cases of programs that are
// there, or with a test; and runs it on programs that are there already.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/oracle/violation.h"
#include "tools/mutants/expectation.h"

namespace assay::mutants {

struct HuntOptions {
  std::filesystem::path target;  // fuzz binary
  std::filesystem::path tool;    // `assay` of the same build; empty: finds are not replayed
  std::string flavour = "fuzz";  // of both
  std::filesystem::path seeds;   // folder of byte programs, read only
  std::filesystem::path folder;  // grown corpus, artifacts and log go here; emptied first
  Hunter hunter = Hunter::kFuzz;
  std::vector<std::filesystem::path> programs;  // what a sweep or an exploration goes through
  int seconds = 60;
  uint64_t most_runs = 0;  // of a fuzz target; 0: as many as there is time for
  uint64_t seed = 1;
};

struct HuntResult {
  Oracle oracle = Oracle::kNone;           // of the first violation
  Oracle replayed_oracle = Oracle::kNone;  // what the strict replay of the find in a fresh process says
  std::string token;
  uint64_t programs = 0;  // for a sweep its points, for an exploration its schedules
  double seconds = 0;
  double processor_seconds = 0;  // of a fuzz target or a test
  std::string fault;             // why the target could not run, "" when it could

  bool found() const { return oracle != Oracle::kNone; }
};

HuntResult hunt(const HuntOptions& options);

struct ReplayResult {
  std::vector<Oracle> oracles;  // of the programs that broke a promise
  std::string fault;
};

// Replays text or byte programs with `tool`, which is of that flavour, each in a process of its own. `log` keeps the
// answer.
ReplayResult replay(const std::filesystem::path& tool, const std::string& flavour,
                    const std::vector<std::filesystem::path>& programs, const std::filesystem::path& log);

}  // namespace assay::mutants
