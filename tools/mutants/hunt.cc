#include "tools/mutants/hunt.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/command.h"

namespace assay::mutants {
namespace {

namespace fs = std::filesystem;

// What a libFuzzer binary printed: our report, or a sanitizer's or libFuzzer's own.
void read_log(const fs::path& log, HuntResult& result) {
  std::ifstream stream(log);
  std::string line, last;
  while (std::getline(stream, line)) {
    constexpr std::string_view kViolation = "VIOLATION ",
                               kToken = "DEDUP_TOKEN: ", kStat = "stat::number_of_executed_units:";
    if (!result.found() && line.starts_with(kViolation)) {
      const size_t end = line.find(':');
      if (end != std::string::npos)
        result.oracle = oracle_named(line.substr(kViolation.size(), end - kViolation.size()));
    } else if (result.token.empty() && line.starts_with(kToken)) {
      result.token = line.substr(kToken.size());
    } else if (line.starts_with(kStat)) {
      result.programs = std::stoull(line.substr(kStat.size()));
    } else if (!result.found() && line.find("ERROR: libFuzzer: timeout") != std::string::npos) {
      result.oracle = Oracle::kHang;
    } else if (!result.found() && line.find("ERROR: AddressSanitizer") != std::string::npos) {
      result.oracle = line.find("ABRT") != std::string::npos ? Oracle::kAbort : Oracle::kSanitizer;
    } else if (!result.found() && line.find(": runtime error: ") != std::string::npos) {
      result.oracle = Oracle::kSanitizer;
    } else if (!result.found() && line.find("ERROR: libFuzzer: deadly signal") != std::string::npos) {
      result.oracle = Oracle::kCrash;
    }
    if (!line.empty()) last = line;
  }
  result.fault = last;
}

std::vector<fs::path> artifacts(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

}  // namespace

HuntResult hunt(const HuntOptions& options) {
  fs::remove_all(options.folder);
  const fs::path corpus = options.folder / "corpus", finds = options.folder / "finds", log = options.folder / "log";
  fs::create_directories(corpus);
  fs::create_directories(finds);
  const std::vector<std::string> argv = {options.target.string(),
                                         corpus.string(),
                                         options.seeds.string(),
                                         fmt::format("-max_total_time={}", options.seconds),
                                         fmt::format("-seed={}", options.seed),
                                         fmt::format("-artifact_prefix={}/", finds.string()),
                                         "-timeout=10",
                                         "-rss_limit_mb=4096",
                                         "-print_final_stats=1"};
  // A target that hangs so that its own alarm does not end it is ended from here.
  const auto limit = std::chrono::seconds(options.seconds + 60);
  const CommandResult run = run_command({argv, options.folder, {}, log}, limit);
  HuntResult result;
  read_log(log, result);
  result.seconds = run.seconds;
  if (run.timed_out && !result.found()) result.oracle = Oracle::kHang;
  if (result.found() || run.status == 0) {
    result.fault.clear();
  } else if (!artifacts(finds).empty()) {
    result.oracle = Oracle::kCrash;
    result.fault.clear();
  }
  if (result.found() && !options.tool.empty()) {
    const ReplayResult again = replay(options.tool, artifacts(finds), options.folder / "replay");
    if (!again.oracles.empty()) result.replayed_oracle = again.oracles.front();
  }
  return result;
}

ReplayResult replay(const fs::path& tool, const std::vector<fs::path>& programs, const fs::path& log) {
  ReplayResult result;
  if (programs.empty()) return result;
  // The answer alone: what the tool says to people goes nowhere.
  std::vector<std::string> argv = {"/bin/sh", "-c", "exec \"$0\" replay --json \"$@\" 2>/dev/null", tool.string()};
  for (const fs::path& program : programs) argv.push_back(program.string());
  run_command({argv, {}, {}, log}, std::chrono::minutes(10));
  std::ifstream stream(log);
  const nlohmann::json answer = nlohmann::json::parse(stream, nullptr, false);
  if (answer.is_discarded() || !answer.contains("files")) {
    result.fault = fmt::format("{} replay gave no answer (log: {})", tool.string(), log.string());
    return result;
  }
  for (const nlohmann::json& row : answer["files"]) {
    const nlohmann::json name = row.value("oracle", nlohmann::json());
    const Oracle oracle = name.is_string() ? oracle_named(name.get<std::string>()) : Oracle::kNone;
    if (oracle != Oracle::kNone) result.oracles.push_back(oracle);
  }
  return result;
}

}  // namespace assay::mutants
