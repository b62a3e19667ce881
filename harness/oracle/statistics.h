// Statistics say what there is: as many live blocks as the model has, as many bytes as the seam has handed out, and no
// figure that is negative or above its own peak.
#pragma once

#include <cstdint>

#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// Needs that no other thread is inside of the subject. `live_blocks` is what the model has.
[[nodiscard]] bool check_statistics(const Subject& subject, uint64_t live_blocks, Violation& violation);

[[nodiscard]] bool check_printed(const Printed& printed, Violation& violation);

}  // namespace assay
