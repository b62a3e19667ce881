#include "harness/exec/worker_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "harness/subject/elf_scan.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

// Room for subjects that need static TLS (jemalloc 2.6 KB, scudo 11.8 KB), beside what the user has set.
std::string with_static_tls(const std::string& more = "") {
  const char* others = std::getenv("GLIBC_TUNABLES");
  std::string prefix = others != nullptr && *others != 0 ? std::string(others) + ":" : "";
  if (!more.empty()) prefix += more + ":";
  return "GLIBC_TUNABLES=" + prefix + "glibc.rtld.optional_static_tls=16384";
}

std::string plain_worker() {
  if (const char* given = std::getenv("ASSAY_WORKER"); given != nullptr && *given != 0) return given;
  const std::string beside = executable_dir() + "/assay-worker";
  const std::string released = sibling_executable("release", "assay-worker");
  if (!released.empty()) return released;
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  throw InputError{"build/release/bin/assay-worker is missing: run ./assay build release"};
}

}  // namespace

std::string executable_dir() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? "." : self.parent_path().string();
}

std::string sibling_executable(const std::string& flavour, const std::string& name) {
  const std::string path = fmt::format("{}/../../{}/bin/{}", executable_dir(), flavour, name);
  return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

bool must_run_apart(const std::string& subject) {
  if (is_subject_list(subject)) return false;
  const SubjectSpec spec = parse_subject_spec(subject);
  const std::string file = subject_file(spec.subject);
  // ximalloc is told by a function, after each reset.
  return (!file.empty() && (needs_preload(file) || has_coverage(file))) ||
         (!spec.settings.empty() && spec.subject != "ximalloc");
}

bool hidden_from_thread_sanitizer(const std::string& subject, std::string_view flavour, Mode mode) {
  // Of sched-tsan only the allocator is instrumented, and only its schedules order what the harness does.
  const bool schedules = flavour == "sched-tsan";
  if ((flavour != "tsan" && !schedules) || is_subject_list(subject)) return false;
  const SubjectSpec spec = parse_subject_spec(subject);
  if (spec.subject == "ximalloc") {
    if (schedules == (mode == Mode::kSchedule)) return false;
    throw InputError{fmt::format("flavour {} does not run ximalloc in mode {}, {} does", flavour, name(mode),
                                 schedules ? "tsan" : "sched-tsan")};
  }
  if (mode == Mode::kSequential && !schedules) return false;
  const std::string file = subject_file(spec.subject);
  return file.empty() || !has_thread_sanitizer(file);
}

WorkerCommand worker_apart(const std::string& subject) {
  const SubjectSpec spec = parse_subject_spec(subject);
  WorkerCommand command;
  command.arguments = {plain_worker(), "--subject", subject};
  std::string tunables;
  for (const SubjectSetting& setting : spec.settings) {
    if (setting.name == "LD_PRELOAD") throw InputError{"subject " + subject + ": LD_PRELOAD is no setting"};
    if (setting.name == "GLIBC_TUNABLES") {
      tunables = setting.value;
    } else {
      command.environment.push_back(setting.name + "=" + setting.value);
    }
  }
  command.environment.push_back(with_static_tls(tunables));
  const std::string file = subject_file(spec.subject);
  if (file.empty() || !needs_preload(file)) return command;
  std::error_code error;
  const fs::path whole = fs::absolute(file, error);
  const char* others = std::getenv("LD_PRELOAD");
  std::string preload = "LD_PRELOAD=" + (error ? file : whole.string());
  if (others != nullptr && *others != 0) preload += std::string(":") + others;
  command.environment.push_back(preload);
  return command;
}

WorkerCommand own_worker(const std::string& executable, const std::string& subject) {
  WorkerCommand command;
  command.arguments = {executable, "serve-worker", "--subject", subject};
  command.environment = {with_static_tls()};
  return command;
}

}  // namespace assay
