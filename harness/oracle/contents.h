// A live block holds what its owner wrote: the pattern of its seed, in every byte that its plan fills.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// Writes the pattern to what the plan covers from `from` on. Small blocks are filled from there only; larger ones
// wholly.
void fill_block(const Block& block, uint64_t from);

// The whole block, before it is freed, resized or checked.
[[nodiscard]] bool check_contents(uint64_t slot, const Block& block, Violation& violation);

// After realloc: the first `kept` bytes of `moved` hold what `old` held. `old` names the block in the report.
[[nodiscard]] bool check_kept(uint64_t slot, const Block& old, const Block& moved, uint64_t kept, Violation& violation);

// A block that strdup or its like just returned: `text`, which ends where the request does.
[[nodiscard]] bool check_text(uint64_t slot, const Block& block, const char* text, Violation& violation);

}  // namespace assay
