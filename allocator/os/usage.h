// What the process has used, as the kernel tells it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xi::os {

struct Usage {
  uint64_t elapsed_ms = 0;  // since the process started
  uint64_t user_ms = 0;
  uint64_t system_ms = 0;
  size_t resident_bytes = 0;
  size_t peak_resident_bytes = 0;
  size_t page_faults = 0;  // that needed input or output
};

// Zeros where the kernel does not answer.
Usage process_usage();

}  // namespace xi::os
