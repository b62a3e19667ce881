#include "harness/oracle/violation.h"

#include <array>
#include <cstddef>

namespace assay {
namespace {

constexpr std::array<std::string_view, 23> kNames = {
    "none",      "overlap",   "outside",    "contents",  "zeroing", "alignment",  "usable_size", "null_errno",
    "footprint", "structure", "fork",       "ownership", "crash",   "abort",      "exit",        "hang",
    "sanitizer", "seam",      "divergence", "walk",      "arena",   "statistics", "option"};
static_assert(kNames.size() == static_cast<size_t>(Oracle::kOption) + 1);

}  // namespace

std::string_view name(Oracle oracle) {
  const auto index = static_cast<size_t>(oracle);
  return index < kNames.size() ? kNames[index] : "unknown";
}

Oracle oracle_named(std::string_view name) {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Oracle>(i);
  }
  return Oracle::kNone;
}

}  // namespace assay
