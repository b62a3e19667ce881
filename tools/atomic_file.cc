#include "tools/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "harness/op/program.h"

namespace assay {
namespace {

[[noreturn]] void refuse(const std::string& path, int error) {
  throw InputError{fmt::format("{}: cannot be written: {}", path, std::strerror(error))};
}

// True when all of `contents` went out; else errno says why.
bool write_all(int fd, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

void write_in_place(const std::string& path, std::string_view contents) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) refuse(path, errno);
  const bool ok = write_all(fd, contents);
  const int error = errno;
  ::close(fd);
  if (!ok) refuse(path, error);
}

}  // namespace

void write_atomically(const std::string& path, std::string_view contents) {
  struct stat existing{};
  if (::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) {
    if (S_ISDIR(existing.st_mode)) refuse(path, EISDIR);
    return write_in_place(path, contents);
  }
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) refuse(path, errno);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  const bool ok = write_all(fd, contents) && ::fchmod(fd, 0666 & ~mask) == 0 && ::close(fd) == 0 &&
                  ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!ok) {
    const int error = errno;
    ::unlink(temporary.c_str());
    refuse(path, error);
  }
}

}  // namespace assay
