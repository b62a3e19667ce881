#include "allocator/os/backtrace.h"

#include <execinfo.h>

namespace xi::os {

size_t backtrace_of_thread(void** frames, size_t size) {
  const int found = backtrace(frames, static_cast<int>(size));
  return found > 0 ? static_cast<size_t>(found) : 0;
}

}  // namespace xi::os
