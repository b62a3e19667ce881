// malloc_usable_size answers at least what was requested, and the same until the block is freed or resized. What else
// speaks of that size says the same: good_size before the call, the u-variants during it.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/op/program.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// For a block that was just returned; `usable` is what the subject says.
[[nodiscard]] bool check_usable_covers(uint64_t slot, const Block& block, uint64_t usable, Violation& violation);

// For a live block, or for NULL when `block` is null: then 0.
[[nodiscard]] bool check_usable_stable(uint64_t slot, const Block* block, uint64_t usable, Violation& violation);

// For a block that was resized: one of which less than half is used gives the rest back by moving.
[[nodiscard]] bool check_gives_back(uint64_t slot, const Block& old, const Block& now, const Promises& promises,
                                    Violation& violation);

// What a u-variant told of a block, or of NULL: then 0.
[[nodiscard]] bool check_usable_told(OpCode code, uint64_t slot, const Block* block, uint64_t told,
                                     Violation& violation);

// What good_size said of a request, whatever became of it.
[[nodiscard]] bool check_good_size(uint64_t size, uint64_t good, Violation& violation);

// The same of the request that `block` answers.
[[nodiscard]] bool check_good_size_kept(uint64_t slot, const Block& block, uint64_t good, Violation& violation);

}  // namespace assay
