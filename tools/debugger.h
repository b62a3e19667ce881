// Replaying under gdb.
#pragma once

#include "tools/replay_runner.h"

namespace assay {

// Replaces this process by gdb, which runs the program again and stops in assay_breakpoint(), before the operation of
// the verdict's violation (before the first one where there was none). Throws InputError when there is no gdb.
[[noreturn]] void debug(const ReplayInput& input, const WorkerCommand& command, const ReplayVerdict& verdict);

}  // namespace assay
