#include "allocator/os/environment.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "allocator/os/errno_keeper.h"

namespace xi::os {

#if defined(XIMALLOC_TEST_SEAMS)
const char* environment(const char*) {
  return nullptr;
}
void each_environment(const char*, void (*)(const char*)) {}
#else
const char* environment(const char* name) {
  return secure_getenv(name);
}

void each_environment(const char* prefix, void (*visit)(const char* entry)) {
  if (environ == nullptr || getauxval(AT_SECURE) != 0) return;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, prefix, strlen(prefix)) == 0) visit(*entry);
  }
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
