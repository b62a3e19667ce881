// malloc_usable_size answers at least what was requested, and the same until the block is freed or resized.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// For a block that was just returned; `usable` is what the subject says.
[[nodiscard]] bool check_usable_covers(uint64_t slot, const Block& block, uint64_t usable, Violation& violation);

// For a live block, or for NULL when `block` is null: then 0.
[[nodiscard]] bool check_usable_stable(uint64_t slot, const Block* block, uint64_t usable, Violation& violation);

}  // namespace assay
