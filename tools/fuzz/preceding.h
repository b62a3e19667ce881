// A find on a subject that cannot be reset may rest on what ran before it: looks for the shortest run of preceding
// programs with which a fresh process shows it again, as one program.
#pragma once

#include <optional>
#include <vector>

#include "fuzz/support/stats_page.h"
#include "harness/op/program.h"
#include "tools/replay_runner.h"

namespace assay {

// The programs that a fuzz process ran last, oldest first, the one that it ended with included.
std::vector<Program> recent_programs(const fuzz::StatsPage& stats);

// The last `count` of them one after another. Between two, what the executor does at the end of each is spelled out:
// threads exit, everything still live is freed, heaps end.
Program concatenated(const std::vector<Program>& programs, size_t count);

// The shortest such program that a fresh process violates, with its verdict; nothing when none does. `folder` is for
// temporary files.
struct Reproduced {
  Program program;
  ReplayVerdict verdict;
  size_t programs = 0;  // that it is made of
};
std::optional<Reproduced> reproduce_with_preceding(const std::vector<Program>& programs, ReplayRunner& runner,
                                                   const std::string& folder, uint64_t times);

}  // namespace assay
