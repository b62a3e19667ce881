// A block is aligned as asked for, and else for any object that fits into it (C23 7.24.3: a block of 8 bytes may be
// aligned to 8 only).
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// What malloc, calloc and realloc promise for `size` bytes.
uint64_t natural_alignment(uint64_t size);

// `alignment` is a power of two; the byte at `offset` is the one that is aligned.
[[nodiscard]] bool check_alignment(uint64_t slot, const Block& block, uint64_t alignment, uint64_t offset,
                                   Violation& violation);

}  // namespace assay
