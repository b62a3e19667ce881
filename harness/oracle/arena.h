// Whose an arena's memory is: a heap that is bound to an arena has blocks there and nowhere else, and in an exclusive
// arena nobody else has any. A heap is refused a block only when no run of its arena holds it.
#pragma once

#include <cstdint>

#include "harness/model/shadow_heap.h"
#include "harness/oracle/request.h"
#include "harness/oracle/violation.h"
#include "harness/subject/heap_kit.h"

namespace assay {

// A block that was just given, by a heap that is bound to `bound` (null: to none).
[[nodiscard]] bool check_arena_of(const MadeHeaps& made, const MadeArena* bound, uint64_t slot, const Block& block,
                                  Violation& violation);

// After a call that was answered NULL, though nothing was made to fail.
[[nodiscard]] bool check_not_spurious(OpCode code, const HeapKit& kit, const MadeArena& bound, const Request& request,
                                      Violation& violation);

// Where a new arena lies: at least as long as it was asked for, and of managed memory inside of it.
[[nodiscard]] bool check_area(const MadeArena& arena, uint64_t asked_bytes, uintptr_t managed_start,
                              Violation& violation);

}  // namespace assay
