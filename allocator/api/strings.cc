// Copies of strings, in blocks of this allocator.
#include <cerrno>
#include <climits>
#include <cstring>

#include "allocator/api/request.h"
#include "allocator/include/ximalloc.h"
#include "allocator/os/environment.h"

namespace {

char* invalid() {
  return static_cast<char*>(xi::fail(EINVAL));
}

char* copy(const char* string, size_t length) {
  auto* const block = static_cast<char*>(xi_malloc(length + 1));
  if (block == nullptr) return nullptr;
  block[length] = '\0';
  return static_cast<char*>(memcpy(block, string, length));
}

}  // namespace

char* xi_strdup(const char* string) noexcept {
  return string != nullptr ? copy(string, strlen(string)) : invalid();
}

char* xi_strndup(const char* string, size_t length) noexcept {
  return string != nullptr ? copy(string, strnlen(string, length)) : invalid();
}

char* xi_realpath(const char* name, char* resolved) noexcept {
  if (resolved != nullptr) return xi::os::resolve_path(name, resolved) ? resolved : nullptr;
  char path[PATH_MAX];
  return xi::os::resolve_path(name, path) ? copy(path, strlen(path)) : nullptr;
}
