// The allocator's own list of its options, by name. Asked for once, when the subject is opened: to say a name the
// allocator may have to begin, and what looks for one may be a thread of a schedule, while another is stopped there.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "allocator/include/ximalloc.h"

namespace assay {

inline const std::array<std::string_view, xi_option_count>& option_names() {
  static const auto names = [] {
    std::array<std::string_view, xi_option_count> found;
    for (int i = 0; i < xi_option_count; ++i) found[i] = xi_option_name(static_cast<xi_option_t>(i));
    return found;
  }();
  return names;
}

inline std::optional<xi_option_t> option_named(std::string_view name) {
  const auto& names = option_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<xi_option_t>(found - names.begin());
}

}  // namespace assay
