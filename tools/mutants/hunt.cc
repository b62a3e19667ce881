#include "tools/mutants/hunt.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/op/program.h"
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
    } else if (!result.found() && (line.find(": runtime error: ") != std::string::npos ||
                                   line.find("MemorySanitizer: ") != std::string::npos ||
                                   line.find("ThreadSanitizer: ") != std::string::npos)) {
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

// A program may say which system calls fail, and a mutant may never make them: then the tool refuses it, and with it
// all that it was given.
bool is_refused(const nlohmann::json& answer) {
  return answer.value("verdict", "") == "error" && answer.value("message", "").ends_with("never comes");
}

// What `tool` answers with --json: the answer alone, what it says to people goes nowhere. Null when the time was over
// before it. A tool that could not do what it was told to throws InputError: its silence is not a clean run.
nlohmann::json answer_of(const fs::path& tool, const std::vector<std::string>& words, const fs::path& log,
                         std::chrono::milliseconds limit) {
  std::vector<std::string> argv = {"/bin/sh", "-c", "exec \"$0\" \"$@\" --json 2>/dev/null", tool.string()};
  argv.insert(argv.end(), words.begin(), words.end());
  run_command({argv, {}, {}, log}, limit);
  std::ifstream stream(log);
  const nlohmann::json answer = nlohmann::json::parse(stream, nullptr, false);
  if (answer.is_discarded()) return {};
  if (!answer.contains("files") && !is_refused(answer))
    throw InputError{fmt::format("{} {}: {}", tool.string(), words.front(), answer.value("message", "no answer"))};
  return answer;
}

// Sweeps or explores one program after the other, until one shows something or the time is over. Each find is kept by
// the tool as a program of its own, whose replay says which oracle it is. Explored with one preemption: two take
// minutes for some programs, and most bugs between two threads need one.
HuntResult search(const HuntOptions& options) {
  HuntResult result;
  const auto start = std::chrono::steady_clock::now();
  const auto limit = std::chrono::seconds(options.seconds);
  for (const fs::path& program : options.programs) {
    std::vector<std::string> words = {
        std::string(name(options.hunter)), program.string(), "--flavour", options.flavour, "--seed",
        std::to_string(options.seed)};
    if (options.hunter == Hunter::kExplore) words.insert(words.end(), {"--bound", "1"});
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    if (spent >= limit || result.found()) break;
    const nlohmann::json answer = answer_of(options.tool, words, options.folder / "search.json", limit - spent);
    if (answer.is_null() || is_refused(answer)) continue;
    for (const nlohmann::json& row : answer["files"]) {
      result.programs += row.value("points", uint64_t{0}) + row.value("schedules", uint64_t{0});
      const std::string output = row.value("output", nlohmann::json("")).is_string() ? row.value("output", "") : "";
      if (row.value("violations", 0) == 0 || output.empty()) continue;
      const ReplayResult again = replay(options.tool, options.flavour, {output}, options.folder / "replay");
      if (!again.oracles.empty()) result.oracle = result.replayed_oracle = again.oracles.front();
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  result.seconds = seconds.count();
  return result;
}

HuntResult run_test(const HuntOptions& options) {
  const CommandResult run = run_command({{options.target.string()}, options.folder, {}, options.folder / "log"},
                                        std::chrono::seconds(options.seconds));
  HuntResult result;
  result.programs = 1;
  result.seconds = run.seconds;
  result.processor_seconds = run.cpu_seconds;
  constexpr int kAborted = 128 + 6;
  if (run.timed_out) {
    result.oracle = Oracle::kHang;
  } else if (run.status == 127) {
    result.fault = options.target.string() + " could not be started";
  } else if (run.status > 128) {
    result.oracle = run.status == kAborted ? Oracle::kAbort : Oracle::kCrash;
  } else if (run.status != 0) {
    result.oracle = Oracle::kExit;
  }
  return result;
}

// The others count although one is refused.
ReplayResult replay_halves(const fs::path& tool, const std::string& flavour, const std::vector<fs::path>& programs,
                           const fs::path& log) {
  const auto middle = programs.begin() + static_cast<std::ptrdiff_t>(programs.size() / 2);
  ReplayResult result = replay(tool, flavour, {programs.begin(), middle}, log);
  ReplayResult rest = replay(tool, flavour, {middle, programs.end()}, log);
  result.oracles.insert(result.oracles.end(), rest.oracles.begin(), rest.oracles.end());
  return result;
}

}  // namespace

HuntResult hunt(const HuntOptions& options) {
  if (options.hunter != Hunter::kFuzz) {
    fs::remove_all(options.folder);
    fs::create_directories(options.folder);
    return options.hunter == Hunter::kTest ? run_test(options) : search(options);
  }
  fs::remove_all(options.folder);
  const fs::path corpus = options.folder / "corpus", finds = options.folder / "finds", log = options.folder / "log";
  fs::create_directories(corpus);
  fs::create_directories(finds);
  std::vector<std::string> argv = {options.target.string(),
                                   corpus.string(),
                                   options.seeds.string(),
                                   fmt::format("-max_total_time={}", options.seconds),
                                   fmt::format("-seed={}", options.seed),
                                   fmt::format("-artifact_prefix={}/", finds.string()),
                                   "-timeout=10",
                                   "-rss_limit_mb=4096",
                                   "-detect_leaks=0",
                                   "-print_final_stats=1"};
  if (options.most_runs > 0) argv.push_back(fmt::format("-runs={}", options.most_runs));
  // A target that hangs so that its own alarm does not end it is ended from here.
  const auto limit = std::chrono::seconds(options.seconds + 60);
  const CommandResult run = run_command({argv, options.folder, {}, log}, limit);
  HuntResult result;
  read_log(log, result);
  result.seconds = run.seconds;
  result.processor_seconds = run.cpu_seconds;
  if (run.timed_out && !result.found()) result.oracle = Oracle::kHang;
  if (result.found() || run.status == 0) {
    result.fault.clear();
  } else if (!artifacts(finds).empty()) {
    result.oracle = Oracle::kCrash;
    result.fault.clear();
  }
  if (result.found() && !options.tool.empty()) {
    const ReplayResult again = replay(options.tool, options.flavour, artifacts(finds), options.folder / "replay");
    if (!again.oracles.empty()) result.replayed_oracle = again.oracles.front();
  }
  return result;
}

ReplayResult replay(const fs::path& tool, const std::string& flavour, const std::vector<fs::path>& programs,
                    const fs::path& log) {
  ReplayResult result;
  if (programs.empty()) return result;
  std::vector<std::string> words = {"replay", "--flavour", flavour};
  for (const fs::path& program : programs) words.push_back(program.string());
  const nlohmann::json answer = answer_of(tool, words, log, std::chrono::minutes(10));
  if (answer.is_null()) {
    result.fault = fmt::format("{} replay gave no answer (log: {})", tool.string(), log.string());
    return result;
  }
  if (is_refused(answer)) {
    if (programs.size() > 1) return replay_halves(tool, flavour, programs, log);
    result.fault = answer.value("message", "");
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
