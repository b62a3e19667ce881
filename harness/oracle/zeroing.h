// What calloc and its like promise to be zero is: all of it up to the plan's bound, ends and samples of larger blocks.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// The bytes [from, requested), before the block is filled. When an earlier block's bytes show through, the report names
// that block.
[[nodiscard]] bool check_zeroed(const ShadowHeap& heap, uint64_t slot, const Block& block, uint64_t from,
                                Violation& violation);

}  // namespace assay
