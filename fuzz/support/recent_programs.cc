#include "fuzz/support/recent_programs.h"

#include <algorithm>
#include <cstring>

namespace assay::fuzz {

void RecentPrograms::write(std::span<const uint8_t> bytes, uint64_t at) {
  for (size_t i = 0; i < bytes.size(); ++i) ring_[(at + i) % kBytes] = bytes[i];
}

void RecentPrograms::read(std::span<uint8_t> bytes, uint64_t at) const {
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = ring_[(at + i) % kBytes];
}

void RecentPrograms::keep(std::span<const uint8_t> program) {
  if (program.size() > kLongest) return forget();
  uint8_t size[sizeof(Size)];
  const auto length = static_cast<Size>(program.size());
  std::memcpy(size, &length, sizeof size);
  const uint64_t at = written_;
  write(program, at);
  write(size, at + program.size());
  written_ = at + program.size() + sizeof size;
}

std::vector<std::vector<uint8_t>> RecentPrograms::all() const {
  std::vector<std::vector<uint8_t>> result;
  uint64_t end = written_;
  const uint64_t oldest = end - std::min<uint64_t>(end, kBytes);
  while (end - oldest >= sizeof(Size)) {
    uint8_t size[sizeof(Size)];
    read(size, end - sizeof size);
    Size length = 0;
    std::memcpy(&length, size, sizeof length);
    if (end - oldest < sizeof size + length) break;
    end -= sizeof size + length;
    read(result.emplace_back(length), end);
  }
  std::ranges::reverse(result);
  return result;
}

}  // namespace assay::fuzz
