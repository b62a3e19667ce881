// The fork operation: the process forks on the thread that runs the step, the child puts the allocator to work and
// reports through a pipe, the parent waits with a watchdog. A child that dies, hangs or finds fault is a violation of
// `fork`.
#pragma once

#include <cstdint>

#include "harness/oracle/violation.h"

namespace assay {

class Operations;

// False when the child did not come back content within `limit_ms`; `violation` then says what it said, or how it
// ended.
[[nodiscard]] bool run_forked(Operations& operations, uint64_t limit_ms, Violation& violation);

}  // namespace assay
