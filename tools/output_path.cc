#include "tools/output_path.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/op/program.h"

namespace assay {
namespace {

[[noreturn]] void refuse(const std::string& path, int error) {
  throw InputError{fmt::format("{}: cannot be written: {}", path, std::strerror(error))};
}

}  // namespace

void refuse_unwritable(const std::string& path) {
  struct stat existing{};
  if (::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) {
    if (S_ISDIR(existing.st_mode)) refuse(path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) refuse(path, errno);
    return;
  }
  // The permissions of the folder do not tell what a file system allows: what will be done later is tried now.
  std::string probe = path + ".XXXXXX";
  const int fd = ::mkstemp(probe.data());
  if (fd < 0) refuse(path, errno);
  ::close(fd);
  ::unlink(probe.c_str());
}

}  // namespace assay
