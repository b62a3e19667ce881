#include "allocator/os/usage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "allocator/os/errno_keeper.h"

namespace xi::os {

namespace {

uint64_t milliseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000 + static_cast<uint64_t>(time.tv_usec) / 1000;
}

// The text of a file in /proc, cut off where the buffer ends.
bool read_text(const char* path, char* text, size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t length = 0;
  ssize_t got = 0;
  while (length < size - 1 && (got = read(file, text + length, size - 1 - length)) > 0)
    length += static_cast<size_t>(got);
  close(file);
  text[length] = '\0';
  return length > 0;
}

// The number after `fields` blanks.
unsigned long long field(const char* text, int fields) {
  for (; fields > 0 && *text != '\0'; ++text) {
    if (*text == ' ') --fields;
  }
  return strtoull(text, nullptr, 10);
}

uint64_t elapsed_ms() {
  char text[1024];
  if (!read_text("/proc/self/stat", text, sizeof text)) return 0;
  // The name, in parentheses, may hold anything; the start time is the 20th field behind it.
  const char* end = text;
  for (const char* at = text; *at != '\0'; ++at) {
    if (*at == ')') end = at;
  }
  const uint64_t started_ms = field(end, 20) * 1000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const uint64_t now_ms = static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  return now_ms > started_ms ? now_ms - started_ms : 0;
}

}  // namespace

Usage process_usage() {
  ErrnoKeeper keeper;
  Usage usage;
  usage.elapsed_ms = elapsed_ms();
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    usage.user_ms = milliseconds(used.ru_utime);
    usage.system_ms = milliseconds(used.ru_stime);
    usage.peak_resident_bytes = static_cast<size_t>(used.ru_maxrss) * 1024;
    usage.page_faults = static_cast<size_t>(used.ru_majflt);
  }
  char text[256];
  if (read_text("/proc/self/statm", text, sizeof text)) {
    usage.resident_bytes = field(text, 1) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  }
  return usage;
}

}  // namespace xi::os
