#include "harness/op/trace_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "harness/op/program_features.h"
#include "harness/op/text.h"
#include "harness/op/trace_window.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

// A file name of it, whatever the program was called.
std::string plain_name(const std::string& program) {
  std::string name;
  for (const char c : program) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    name += plain ? c : '_';
  }
  return name.empty() ? "program" : name;
}

struct Candidate {
  size_t process;
  Program program;
  std::vector<uint32_t> features;
};

// The candidates so far; when there are too many, the least diverse half goes.
class Selection {
 public:
  explicit Selection(size_t wanted) : wanted_(wanted), limit_(4 * wanted + 256) {}

  void offer(size_t process, Program program) {
    if (!texts_seen_.insert(std::hash<std::string>()(print_text(program))).second) return;
    std::vector<uint32_t> set = features(program);
    candidates_.push_back({process, std::move(program), std::move(set)});
    if (candidates_.size() > limit_) keep(limit_ / 2);
  }
  std::vector<Candidate> finish() {
    keep(wanted_);
    return std::move(candidates_);
  }

 private:
  // In the order of the trace.
  void keep(size_t count) {
    std::vector<std::vector<uint32_t>> sets;
    for (Candidate& candidate : candidates_) sets.push_back(candidate.features);
    std::vector<size_t> chosen = diverse_subset(sets, count);
    std::sort(chosen.begin(), chosen.end());
    std::vector<Candidate> kept;
    for (const size_t index : chosen) kept.push_back(std::move(candidates_[index]));
    candidates_ = std::move(kept);
  }

  size_t wanted_;
  size_t limit_;
  std::vector<Candidate> candidates_;
  std::unordered_set<size_t> texts_seen_;
};

}  // namespace

std::vector<ImportedProgram> import_trace(const TraceFile& trace, const ImportOptions& options) {
  Selection selection(options.max_programs);
  for (size_t process = 0; process < trace.processes().size(); ++process) {
    TraceSteps steps(trace, process);
    WindowCutter cutter(steps, options.window);
    while (auto window = cutter.next()) {
      if (const auto fault = validate(*window)) throw std::logic_error("a window of a trace: " + *fault);
      selection.offer(process, std::move(*window));
    }
  }
  std::vector<ImportedProgram> imported;
  std::map<std::string, size_t> numbers;
  for (Candidate& candidate : selection.finish()) {
    const std::string name = plain_name(trace.processes()[candidate.process].program);
    imported.push_back({fmt::format("{}-{:03}", name, numbers[name]++), std::move(candidate.program)});
  }
  return imported;
}

}  // namespace assay
