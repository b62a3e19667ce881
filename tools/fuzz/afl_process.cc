// AFL++: first the target alone runs all that is known, since afl-fuzz passes over an input that fails at once; then
// afl-fuzz hunts until it has found something. What it keeps goes into the corpus that libFuzzer grows, too, and it
// begins with that.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <set>

#include "fuzz/support/mutator.h"
#include "tools/atomic_file.h"
#include "tools/fuzz/corpus_folder.h"
#include "tools/fuzz/engine_process.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kExportEvery = 2s;
// What afl-fuzz keeps of a program that a process died of, it keeps before it runs the next one.
constexpr auto kKeepsWithin = 1s;
// Names in the folder of artifacts.
constexpr const char* kInput = "input";
constexpr const char* kPassedOver = "passed-over";

void copy_programs(const fs::path& from, const fs::path& to, std::set<uint64_t>& known) {
  if (!fs::is_directory(from)) return;
  for (const auto& entry : fs::directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = program_bytes(entry.path());
    if (bytes.empty() || !known.insert(fuzz::token_hash(bytes)).second) continue;
    std::ofstream(to / fmt::format("{:06}", known.size()), std::ios::binary) << bytes;
  }
}

class AflProcess final : public EngineProcess {
 public:
  explicit AflProcess(EngineCommand command) : EngineProcess(std::move(command)), name_(fmt::format("job{}", job())) {}
  ~AflProcess() override { AflProcess::stop(); }

  void start(uint64_t seed, uint64_t seconds) override {
    seed_ = seed;
    seconds_ = seconds;
    fs::remove_all(inputs());
    fs::remove_all(own_folder());
    fs::create_directories(inputs());
    known_.clear();
    copy_programs(command().corpus, inputs(), known_);
    copy_programs(command().seeds, inputs(), known_);
    if (known_.empty()) std::ofstream(inputs() / "empty") << '\0';
    run_inputs();
  }

  std::optional<int> poll() override {
    if (trying_inputs_) return poll_inputs();
    if (Clock::now() - exported_ > kExportEvery) {
      export_programs();
      // It goes on after an input that hangs.
      if (!inputs_in("hangs").empty()) ::kill(pid(), SIGINT);
    }
    if (stats().evidence_held == 0) {
      alive_ = Clock::now();
    } else if (Clock::now() - alive_ > kKeepsWithin && !passed_over().empty()) {
      // It would hunt on, and of the next death there would be no evidence.
      ::kill(pid(), SIGINT);
    }
    const std::optional<int> status = EngineProcess::poll();
    if (status) on_end_of_hunt();
    return status;
  }

  void stop() override {
    const bool hunted = running() && !trying_inputs_;
    EngineProcess::stop();
    if (hunted) on_end_of_hunt();
  }

  std::vector<EngineArtifact> artifacts() const override {
    std::vector<EngineArtifact> result;
    for (const char* folder : {"crashes", "hangs"}) {
      for (fs::path& input : inputs_in(folder)) result.push_back({.file = std::move(input)});
    }
    for (const auto& entry : fs::directory_iterator(command().folder / "artifacts")) {
      result.push_back({.file = entry.path(), .was_passed_over = entry.path().filename() == kPassedOver});
    }
    return result;
  }

  std::optional<double> stability() const override {
    std::ifstream in(own_folder() / "fuzzer_stats");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("stability")) return std::strtod(line.c_str() + line.find(':') + 1, nullptr);
    }
    return std::nullopt;
  }

 private:
  unsigned job() const { return command().job; }
  fs::path inputs() const { return command().folder / "inputs"; }
  // Of all jobs, which exchange what they find.
  fs::path common_folder() const { return command().folder.parent_path() / "afl"; }
  fs::path own_folder() const { return common_folder() / name_; }

  // All of them in one process. The one that it dies of is in the figures' page.
  void run_inputs() {
    std::vector<std::string> words = {command().binary};
    for (const auto& entry : fs::directory_iterator(inputs())) words.push_back(entry.path().string());
    trying_inputs_ = true;
    progress_ = stats().programs;
    progressed_ = Clock::now();
    spawn(std::move(words), {});
  }

  std::optional<int> poll_inputs() {
    if (progress_ != stats().programs) {
      progress_ = stats().programs;
      progressed_ = Clock::now();
    } else if (Clock::now() - progressed_ > std::chrono::seconds(kEngineTimeoutSeconds)) {
      ::kill(pid(), SIGKILL);
    }
    const std::optional<int> status = EngineProcess::poll();
    if (!status) return status;
    trying_inputs_ = false;
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) {
      hunt();
      return std::nullopt;
    }
    const std::string input = current();
    const bool gave_up = WIFEXITED(*status) && (WEXITSTATUS(*status) == 2 || WEXITSTATUS(*status) == 3);
    if (stats().in_program != 0 && !input.empty() && !gave_up) keep(kInput, input);
    return status;
  }

  // The program that runs, or that a process died of; empty where it did not fit.
  std::string current() const {
    const fuzz::KeptProgram& program = stats().current;
    if (program.size == fuzz::kTooLong) return {};
    return {reinterpret_cast<const char*>(program.bytes), program.size};
  }

  void keep(const char* name, const std::string& program) {
    write_atomically((command().folder / "artifacts" / name).string(), program);
  }

  // The program that a process died of, where afl-fuzz kept none such: it does so only of programs that it has just
  // made, and not when it runs one again to see whether its counters are the same (calibration), nor of its inputs.
  std::string passed_over() const {
    std::string program = stats().evidence_held != 0 ? current() : "";
    for (const char* folder : {"crashes", "hangs"}) {
      for (const fs::path& input : inputs_in(folder)) {
        if (program_bytes(input) == program) return {};
      }
    }
    return program;
  }

  void on_end_of_hunt() {
    export_programs();
    const std::string program = passed_over();
    if (!program.empty()) keep(kPassedOver, program);
  }

  void hunt() {
    std::vector<std::string> words = {"afl-fuzz",
                                      "-i",
                                      inputs().string(),
                                      "-o",
                                      common_folder().string(),
                                      job() == 0 ? "-M" : "-S",
                                      name_,
                                      "-t",
                                      std::to_string(1000 * kEngineTimeoutSeconds),
                                      "-G",
                                      std::to_string(fuzz::kUsualInputBytes),
                                      "-V",
                                      std::to_string(seconds_),
                                      "-s",
                                      std::to_string(static_cast<uint32_t>(seed_))};
    // The main job also looks, now and then, for what others put into the corpus.
    if (job() == 0) words.insert(words.end(), {"-F", command().corpus.string()});
    words.insert(words.end(), {"--", command().binary});
    const fs::path binary = command().binary;
    const fs::path mutator =
        binary.parent_path() / ".." / "lib" / fmt::format("lib{}_mutator.so", binary.filename().string());
    exported_ = alive_ = Clock::now();
    spawn(std::move(words), {{"AFL_CUSTOM_MUTATOR_LIBRARY", mutator.lexically_normal().string()},
                             // Bytes that no program encodes to are few, and what cuts bytes knows no operations.
                             {"AFL_CUSTOM_MUTATOR_ONLY", "1"},
                             {"AFL_DISABLE_TRIM", "1"},
                             {"AFL_BENCH_UNTIL_CRASH", "1"},
                             {"AFL_FAST_CAL", "1"},
                             {"AFL_NO_UI", "1"},
                             {"AFL_SYNC_TIME", "1"},
                             {"AFL_NO_AFFINITY", "1"},
                             {"AFL_SKIP_CPUFREQ", "1"},
                             {"AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1"},
                             // It refuses settings of others; the targets have their own.
                             {"ASAN_OPTIONS", ""},
                             {"UBSAN_OPTIONS", ""}});
  }

  std::vector<fs::path> inputs_in(const char* folder) const {
    std::vector<fs::path> result;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(own_folder() / folder, missing)) {
      if (entry.path().filename().string().starts_with("id:")) result.push_back(entry.path());
    }
    return result;
  }

  // Only what this job found itself: the rest is in the corpus, or another job brings it there.
  void export_programs() {
    exported_ = Clock::now();
    for (const fs::path& program : inputs_in("queue")) {
      const std::string file = program.filename();
      if (file.find(",orig:") != std::string::npos || file.find(",sync:") != std::string::npos) continue;
      const std::string bytes = program_bytes(program);
      const uint64_t hash = fuzz::token_hash(bytes);
      if (bytes.empty() || !known_.insert(hash).second) continue;
      write_atomically((command().corpus / fmt::format("afl-{:016x}", hash)).string(), bytes);
    }
  }

  std::string name_;
  uint64_t seed_ = 0, seconds_ = 0;
  bool trying_inputs_ = false;
  uint64_t progress_ = 0;
  Clock::time_point progressed_, exported_;
  Clock::time_point alive_;   // when nothing had died yet
  std::set<uint64_t> known_;  // hashes of the inputs and of what was exported
};

}  // namespace

std::unique_ptr<EngineProcess> afl_process(EngineCommand command) {
  return std::make_unique<AflProcess>(std::move(command));
}

}  // namespace assay
