// The allocator's own list of its options, by name.
#pragma once

#include <optional>
#include <string_view>

#include "allocator/include/ximalloc.h"

namespace assay {

inline std::optional<xi_option_t> option_named(std::string_view name) {
  for (int i = 0; i < xi_option_count; ++i) {
    const auto option = static_cast<xi_option_t>(i);
    if (xi_option_name(option) == name) return option;
  }
  return std::nullopt;
}

}  // namespace assay
