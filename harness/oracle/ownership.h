// Who owns a block: the allocator that gave it says yes, and says no to NULL.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/op/program.h"
#include "harness/oracle/violation.h"

namespace assay {

// `ours` is what check_owned or is_in_heap_region answered for `block`, for NULL when it is null. `owner_known`: nobody
// but the calling thread can have the memory that the block is in.
[[nodiscard]] bool check_ours(OpCode code, uint64_t slot, const Block* block, bool owner_known, bool ours,
                              Violation& violation);

}  // namespace assay
