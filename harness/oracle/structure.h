// The allocator's own validators find nothing wrong with its structures.
#pragma once

#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// True for subjects without validators. The first thing that they report is kept, and how many there were.
[[nodiscard]] bool check_structure(const Subject& subject, Violation& violation);

}  // namespace assay
