#include "harness/exec/process_load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace assay {
namespace {

// The fields of a stat file behind the name of the program, which may hold anything; the first one is the state.
std::istringstream fields_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const size_t end_of_name = line.rfind(')');
  return std::istringstream(end_of_name == std::string::npos ? "" : line.substr(end_of_name + 1));
}

}  // namespace

uint64_t cpu_ms(pid_t process) {
  constexpr int kFieldsBefore = 10;  // between the state and the time in user mode
  std::istringstream fields = fields_of(fmt::format("/proc/{}/stat", process));
  std::string skipped;
  fields >> skipped;
  for (int i = 0; i < kFieldsBefore; i++) fields >> skipped;
  uint64_t user = 0, system = 0;
  fields >> user >> system;
  return fields ? (user + system) * 1000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)) : 0;
}

bool is_runnable(pid_t process) {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    std::string state;
    fields_of(task.path().string() + "/stat") >> state;
    if (state == "R" || state == "D") return true;
  }
  return false;
}

}  // namespace assay
