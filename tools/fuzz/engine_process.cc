#include "tools/fuzz/engine_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace assay {
namespace {

namespace fs = std::filesystem;

// Longer than the worker's watchdog (10 s), so that a hang there is seen by the one who knows the operation.
constexpr unsigned kTimeoutSeconds = 15;
constexpr unsigned kResidentLimitMiB = 4096;
// Some 150 lines: what grows beyond is slow and teaches little.
constexpr unsigned kMaxInputBytes = 512;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

EngineProcess::EngineProcess(EngineCommand command) : command_(std::move(command)), log_(command_.folder / "log") {
  fs::create_directories(command_.folder / "artifacts");
  const std::string page = command_.folder / "stats";
  stats_ = fuzz::map_stats(page);
  if (stats_ == nullptr) fail(page);
}

EngineProcess::~EngineProcess() {
  stop();
  fuzz::unmap_stats(stats_);
}

std::vector<std::string> EngineProcess::arguments(uint64_t seed, uint64_t seconds) const {
  std::vector<std::string> result = {
      command_.binary,
      "-artifact_prefix=" + (command_.folder / "artifacts").string() + "/",
      fmt::format("-timeout={}", kTimeoutSeconds),
      fmt::format("-rss_limit_mb={}", kResidentLimitMiB),
      fmt::format("-max_len={}", kMaxInputBytes),
      fmt::format("-max_total_time={}", seconds),
      fmt::format("-seed={}", static_cast<uint32_t>(seed)),
      fmt::format("-reload={}", command_.shares_corpus ? 1 : 0),
      // Its way of looking for leaks is to run an input twice; what the allocator leaks, the footprint oracle sees.
      "-detect_leaks=0",
      "-print_final_stats=1",
  };
  result.push_back(command_.corpus.string());
  if (fs::is_directory(command_.seeds)) result.push_back(command_.seeds.string());
  return result;
}

void EngineProcess::start(uint64_t seed, uint64_t seconds) {
  std::vector<std::string> strings = arguments(seed, seconds);
  std::vector<char*> argv;
  for (std::string& string : strings) argv.push_back(string.data());
  argv.push_back(nullptr);
  const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) fail(log_.string());
  const std::string page = command_.folder / "stats";
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    // Ctrl-C is for the driver, which ends its children itself.
    ::setpgid(0, 0);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::setenv("ASSAY_SUBJECT", command_.subject.c_str(), 1);
    ::setenv("ASSAY_MODE", std::string(name(command_.mode)).c_str(), 1);
    ::setenv("ASSAY_STATS", page.c_str(), 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(log);
  if (pid_ < 0) fail(command_.binary);
}

std::optional<int> EngineProcess::poll() {
  int status = 0;
  const pid_t result = ::waitpid(pid_, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return std::nullopt;
  pid_ = -1;
  return status;
}

void EngineProcess::stop() {
  using namespace std::chrono_literals;
  if (!running()) return;
  ::kill(pid_, SIGINT);
  for (int i = 0; i < 100 && running(); ++i) {
    if (!poll()) std::this_thread::sleep_for(10ms);
  }
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  while (running() && !poll()) std::this_thread::sleep_for(1ms);
}

std::vector<fs::path> EngineProcess::artifacts() const {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(command_.folder / "artifacts")) {
    const std::string name = entry.path().filename();
    const bool is_find = name.starts_with("crash-") || name.starts_with("timeout-") || name.starts_with("oom-");
    if (is_find) result.push_back(entry.path());
  }
  return result;
}

std::string EngineProcess::last_words() const {
  std::ifstream in(log_);
  std::string line, last, ours;
  while (std::getline(in, line)) {
    if (line.starts_with("assay: ") || line.starts_with("HARNESS BUG: ")) ours = line.substr(line.find(": ") + 2);
    if (!line.empty()) last = line;
  }
  return ours.empty() ? last : ours;
}

}  // namespace assay
