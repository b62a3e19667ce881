// No two live blocks share a byte. Decided by addresses alone, so that it holds also before anything is written.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// Puts `block` into the model; false and a violation when it overlaps a live one (then the model is unchanged).
[[nodiscard]] bool insert_without_overlap(ShadowHeap& heap, uint64_t slot, const Block& block, Violation& violation);

}  // namespace assay
