// expand answers the same block or NULL, and has room for what it grants.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// `block` null: NULL was to be expanded, which answers NULL. `address` is what expand answered.
[[nodiscard]] bool check_expanded(uint64_t slot, const Block* block, uint64_t size, uintptr_t address,
                                  const Promises& promises, Violation& violation);

}  // namespace assay
