#include "harness/exec/came_failures.h"

#include <algorithm>

namespace assay {

void CameFailures::note(uint64_t line, uint32_t index) {
  const uint64_t at = count_.fetch_add(1, std::memory_order_relaxed);
  if (at < kRoom)
    entries_[at] = {line < CameFailure::kOfEnd ? static_cast<uint32_t>(line) : CameFailure::kOfEnd, index};
}

std::vector<CameFailure> CameFailures::all() const {
  const uint64_t count = std::min(count_.load(std::memory_order_relaxed), kRoom);
  return {entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(count)};
}

Program without_dead_failures(const Program& program, std::span<const CameFailure> came) {
  std::vector<uint32_t> alive(program.lines.size());
  for (const CameFailure& failure : came) {
    const uint64_t line = failure.line == CameFailure::kOfEnd ? alive.size() - 1 : failure.line;
    if (line < alive.size()) alive[line] |= 1u << failure.index;
  }
  Program result = program;
  for (size_t line = 0; line < alive.size(); ++line) {
    std::vector<Failure>& fails = result.lines[line].fails;
    uint32_t index = 0;
    std::erase_if(fails, [&](const Failure&) { return (alive[line] >> index++ & 1) == 0; });
  }
  return result;
}

}  // namespace assay
