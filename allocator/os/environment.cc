#include "allocator/os/environment.h"

#include <unistd.h>

#include <cstdlib>

#include "allocator/os/errno_keeper.h"

namespace xi::os {

#if defined(XIMALLOC_TEST_SEAMS)
const char* environment(const char*) {
  return nullptr;
}
#else
const char* environment(const char* name) {
  return secure_getenv(name);
}
#endif

bool resolve_path(const char* name, char* resolved) {
  return realpath(name, resolved) != nullptr;
}

void write_error(const char* text, size_t length) {
  ErrnoKeeper keeper;
  while (length > 0) {
    const ssize_t written = write(STDERR_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    length -= static_cast<size_t>(written);
  }
}

[[noreturn]] void abort_process() {
  abort();
}

}  // namespace xi::os
