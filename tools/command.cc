#include "tools/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// In the child, after fork: only calls that are safe there, on memory made before.
[[noreturn]] void become(const Command& command, char* const* argv, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int in = open("/dev/null", O_RDONLY);
  const char* path = command.output.empty() ? "/dev/null" : command.output.c_str();
  const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(127);
  if (!command.folder.empty() && chdir(command.folder.c_str()) != 0) _exit(127);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  execvp(argv[0], argv);
  _exit(127);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

RunningCommand::RunningCommand(const Command& command) : start_(Clock::now()) {
  std::vector<char*> argv;
  for (const std::string& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(command, argv.data(), parent);
  // Also here, so that terminate() finds the group however the two processes are scheduled.
  if (pid_ > 0) setpgid(pid_, pid_);
}

RunningCommand::~RunningCommand() {
  if (pid_ <= 0) return;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void RunningCommand::terminate() const {
  if (pid_ > 0) kill(-pid_, SIGTERM);
}

CommandResult RunningCommand::wait(std::optional<std::chrono::milliseconds> limit) {
  CommandResult result;
  if (pid_ <= 0) return {.status = 127};
  int status = 0;
  rusage usage{};
  const auto deadline = start_ + limit.value_or(std::chrono::milliseconds(0));
  while (true) {
    const pid_t ended = wait4(pid_, &status, limit ? WNOHANG : 0, &usage);
    if (ended == pid_) break;
    if (ended < 0 && errno != EINTR) {
      pid_ = -1;
      return {.status = 127};
    }
    if (limit && Clock::now() >= deadline) {
      result.timed_out = true;
      kill(-pid_, SIGKILL);
      limit.reset();
      continue;
    }
    if (limit) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // What it started must not outlive it.
  kill(-pid_, SIGKILL);
  pid_ = -1;
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  result.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  result.peak_rss_kib = usage.ru_maxrss;
  result.minor_faults = usage.ru_minflt;
  return result;
}

}  // namespace assay
