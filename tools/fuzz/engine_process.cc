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
#include <regex>
#include <stdexcept>
#include <thread>

namespace assay {
namespace {

namespace fs = std::filesystem;

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
  EngineProcess::stop();
  fuzz::unmap_stats(stats_);
}

void EngineProcess::spawn(std::vector<std::string> words, const Environment& environment) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
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
    for (const auto& [variable, value] : environment) {
      if (value.empty()) {
        ::unsetenv(variable.c_str());
      } else {
        ::setenv(variable.c_str(), value.c_str(), 1);
      }
    }
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(log);
  if (pid_ < 0) fail(words[0]);
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
  for (int i = 0; i < 200 && running(); ++i) {
    if (!EngineProcess::poll()) std::this_thread::sleep_for(10ms);
  }
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  while (running() && !EngineProcess::poll()) std::this_thread::sleep_for(1ms);
}

std::string EngineProcess::last_words() const {
  constexpr std::string_view kGaveUp = "PROGRAM ABORT : ";
  const std::regex colour("\x1b\\[[0-9;?]*[a-zA-Z]");
  std::ifstream in(log_);
  std::string line, last, ours, engine;
  while (std::getline(in, line)) {
    if (line.starts_with("assay: ") || line.starts_with("HARNESS BUG: ")) ours = line.substr(line.find(": ") + 2);
    // AFL++ always writes in colours.
    line = std::regex_replace(line, colour, "");
    if (const size_t at = line.find(kGaveUp); at != std::string::npos) engine = line.substr(at + kGaveUp.size());
    if (!line.empty()) last = line;
  }
  return !ours.empty() ? ours : !engine.empty() ? engine : last;
}

}  // namespace assay
