// Who has called, as return addresses, innermost first.
#pragma once

#include <cstddef>

namespace xi::os {

// At most `size` of them; how many. After the first call, which may allocate, it does not, and any thread may call it.
size_t backtrace_of_thread(void** frames, size_t size);

}  // namespace xi::os
