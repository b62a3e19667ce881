#include "allocator/os/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace xi::os {

int read_parts(const char* path, void (*visit)(const char* text, void* context), void* context) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  char text[1024];
  int error = 0;
  for (;;) {
    const ssize_t got = read(file, text, sizeof text - 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    text[got] = '\0';
    visit(text, context);
  }
  close(file);
  return error;
}

int create_file(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return file >= 0 ? file : -errno;
}

int write_file(int file, const char* text, size_t length) {
  while (length > 0) {
    const ssize_t written = write(file, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text += written;
    length -= static_cast<size_t>(written);
  }
  return 0;
}

int close_file(int file) {
  return close(file) == 0 ? 0 : errno;
}

unsigned process_id() {
  return static_cast<unsigned>(getpid());
}

}  // namespace xi::os
