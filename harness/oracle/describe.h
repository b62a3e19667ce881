// Writing into a Violation without allocating anything: the heap that is being judged may be the process's own.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <utility>

#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"

namespace assay {

// Formats into a fixed array and cuts what does not fit. The cut text always ends in a zero byte.
template <size_t kSize, typename... Arguments>
void describe(char (&out)[kSize], fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const auto written = fmt::format_to_n(out, kSize - 1, format, std::forward<Arguments>(arguments)...);
  *written.out = '\0';
}

// Records which block suffered.
inline void set_victim(Violation& violation, uint64_t slot, const Block& block) {
  violation.victim_slot = slot;
  violation.victim_allocated_line = block.allocated.line;
  violation.victim_allocated_member = block.allocated.member;
  violation.victim_address = block.address;
  violation.victim_requested = block.requested;
  violation.victim_usable = block.usable;
}

}  // namespace assay
