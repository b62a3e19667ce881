// The report of a violation that a replay has shown.
#pragma once

#include <cstdint>
#include <string>

#include "tools/replay_runner.h"

namespace assay {

// With the exact command that shows it again.
std::string replay_report(const ReplayInput& input, const ReplayRunner& runner, const ReplayVerdict& verdict,
                          uint64_t seed);

// `word` as a shell reads it back.
std::string shell_quoted(const std::string& word);

}  // namespace assay
