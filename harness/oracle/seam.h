// What the subject does to memory by system calls, judged at the call itself: it takes away nothing that a live block
// lies in, and nothing that it does not have.
#pragma once

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// For a call that is about to be made. Blocks that are being freed or moved are not in `heap`. False: the call would do
// harm; `violation` says which and to whom.
[[nodiscard]] bool check_os_call(const OsCall& call, const ShadowHeap& heap, Violation& violation);

}  // namespace assay
