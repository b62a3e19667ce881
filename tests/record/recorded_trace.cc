#include "tests/record/recorded_trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace assay {

namespace fs = std::filesystem;

Scratch::Scratch() : folder_(testing::TempDir() + "recordXXXXXX") {
  if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no scratch folder can be made");
}
Scratch::~Scratch() {
  fs::remove_all(folder_);
}

std::vector<std::string> Scratch::files() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

Ended Scratch::shell(const std::string& line) const {
  // Its output lies outside the folder, which belongs to the line.
  const std::string out = folder_ + ".out";
  const std::string err = folder_ + ".err";
  const int status =
      std::system(fmt::format("cd '{}' && ( {} ) >'{}' 2>'{}' </dev/null", folder_, line, out, err).c_str());
  Ended ended{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), file_text(out), file_text(err)};
  fs::remove(out);
  fs::remove(err);
  return ended;
}

Ended Scratch::record(const std::string& program) const {
  return shell(fmt::format("{} record -o trace -- {}{}", ASSAY_TOOL, ASSAY_PROGRAMS, program));
}

std::string file_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> calls(const TraceFile& trace, size_t process, TraceTally* tally) {
  std::vector<std::string> lines;
  TraceSteps steps(trace, process);
  Step step;
  while (steps.next(step)) {
    std::string line;
    if (step.result_slot) line += fmt::format("p{}=", *step.result_slot);
    line += info(step.code).name;
    for (size_t i = 0; i < info(step.code).arg_count(); ++i) {
      if (info(step.code).args[i] != ArgKind::kSlot) {
        line += fmt::format(" {}", step.args[i]);
      } else {
        line += step.slot ? fmt::format(" p{}", *step.slot) : " NULL";
      }
    }
    if (step.thread != 0) line += fmt::format(" @t{}", step.thread);
    lines.push_back(line);
  }
  if (tally != nullptr) *tally = steps.tally();
  return lines;
}

size_t count_call(const TraceFile& trace, const std::string& call) {
  size_t count = 0;
  for (size_t process = 0; process < trace.processes().size(); ++process) {
    for (const std::string& line : calls(trace, process)) {
      std::string plain;
      for (size_t i = 0; i < line.size(); ++i) {
        plain += line[i];
        if (line[i] == 'p' && i + 1 < line.size() && std::isdigit(line[i + 1]) != 0) {
          while (i + 1 < line.size() && std::isdigit(line[i + 1]) != 0) ++i;
        }
      }
      if (plain == call) ++count;
    }
  }
  return count;
}

}  // namespace assay
