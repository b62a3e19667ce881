// What calls about heaps answer: a heap, or NULL with the right error; nothing at all for a heap that the thread may
// not end; the default heap that was set; true of the blocks of a heap alone.
#pragma once

#include <cstdint>

#include "harness/op/program.h"
#include "harness/oracle/violation.h"

namespace assay {

// A call that must have failed with `error`, and says that it did with `seen` (0: it did not).
[[nodiscard]] bool check_refused(OpCode code, int error, int seen, Violation& violation);
// A call that must have made something, or may have failed with `error` where `may_fail`.
[[nodiscard]] bool check_made(OpCode code, bool made, bool may_fail, int error, int seen, Violation& violation);
[[nodiscard]] bool check_same_heap(OpCode code, const void* expected, const void* seen, Violation& violation);
[[nodiscard]] bool check_belongs(OpCode code, uint64_t slot, bool expected, bool seen, Violation& violation);
[[nodiscard]] bool check_option(std::string_view name, long expected, long seen, Violation& violation);
[[nodiscard]] bool check_option_agrees(std::string_view name, long value, bool agrees, Violation& violation);

}  // namespace assay
