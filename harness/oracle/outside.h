// A block lies in memory that the process has: inside the address space of user programs, and, where the subject's OS
// layer can be asked, wholly inside what it handed out and committed.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// For a block that was just returned, before any byte of it is touched.
[[nodiscard]] bool check_inside(const Subject& subject, uint64_t slot, const Block& block, Violation& violation);

}  // namespace assay
