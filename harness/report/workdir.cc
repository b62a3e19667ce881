#include "harness/report/workdir.h"

#include <cstdlib>
#include <system_error>

#include "harness/op/program.h"

namespace assay {
namespace fs = std::filesystem;

fs::path repository_root() {
  if (const char* root = std::getenv("ASSAY_ROOT"); root != nullptr && *root != '\0') return root;
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  const fs::path build = executable.parent_path().parent_path().parent_path();
  if (!error && build.filename() == "build") return build.parent_path();
  return fs::current_path(error);
}

fs::path work_root() {
  if (const char* work = std::getenv("ASSAY_WORK"); work != nullptr && *work != '\0') return work;
  return repository_root() / "work";
}
fs::path corpus_dir(std::string_view target) {
  return work_root() / "corpus" / target;
}
fs::path findings_dir() {
  return work_root() / "findings";
}
fs::path explored_dir() {
  return work_root() / "explored";
}
fs::path swept_dir() {
  return work_root() / "swept";
}
fs::path logs_dir() {
  return work_root() / "logs";
}
fs::path traces_dir() {
  return work_root() / "traces";
}

fs::path ensure_dir(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw InputError{path.string() + ": " + error.message()};
  return path;
}

}  // namespace assay
