#include "tools/recorded_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "harness/op/program.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

volatile sig_atomic_t g_child = 0;

void pass_on(int signal) {
  if (g_child > 0) kill(static_cast<pid_t>(g_child), signal);
}

// While the program runs: what the terminal sends goes to it as well as to us, and it decides what comes of it; what is
// sent to us alone is passed on.
class SignalsBelongToTheChild {
 public:
  SignalsBelongToTheChild() {
    for (size_t i = 0; i < std::size(kSignals); ++i) {
      struct sigaction action{};
      action.sa_handler = kSignals[i] == SIGINT || kSignals[i] == SIGQUIT ? SIG_IGN : pass_on;
      action.sa_flags = SA_RESTART;
      sigaction(kSignals[i], &action, &before_[i]);
    }
  }
  ~SignalsBelongToTheChild() { restore(); }
  SignalsBelongToTheChild(const SignalsBelongToTheChild&) = delete;
  SignalsBelongToTheChild& operator=(const SignalsBelongToTheChild&) = delete;

  void restore() const {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  struct sigaction before_[std::size(kSignals)]{};
};

bool is_runnable(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

bool is_elf(const std::string& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::memcmp(magic,
                     "\x7f"
                     "ELF",
                     sizeof magic) == 0;
}

// Only returns, errno set, when the program could not be started.
void become_program(const RecordedCommand& command, const std::string& program) {
  const char* preloaded = std::getenv("LD_PRELOAD");
  // In front, or another preloaded allocator would take the calls before the recorder sees them.
  std::string preload = command.recorder;
  if (preloaded != nullptr && *preloaded != '\0') preload += std::string(":") + preloaded;
  setenv("LD_PRELOAD", preload.c_str(), 1);
  setenv("ASSAY_RECORD_FILE", command.trace.c_str(), 1);
  if (command.stdout_to_stderr) dup2(STDERR_FILENO, STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : command.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  const int error = errno;
  // A script without an interpreter line is run by the shell, as execvp does; another machine's program is not.
  if (error == ENOEXEC && !is_elf(program)) execvp(argv[0], argv.data());
  errno = error;
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.empty()) throw InputError{"the name of the program to record is empty"};
  if (name.find('/') != std::string::npos) {
    if (is_runnable(name)) return name;
    std::error_code error;
    if (!fs::exists(name, error)) throw InputError{name + ": no such program"};
    throw InputError{name + (fs::is_directory(name, error) ? ": is a directory" : ": is not executable")};
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const size_t end = rest.find(':');
    const std::string_view folder = rest.substr(0, end);
    const std::string candidate = std::string(folder.empty() ? "." : folder) + "/" + name;
    if (is_runnable(candidate)) return candidate;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  throw InputError{name + ": no such program in PATH"};
}

std::string find_recorder() {
  std::error_code error;
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"../lib/libassay_record.so", "../../release/lib/libassay_record.so"}) {
    const std::string path = (bin / place).lexically_normal().string();
    if (!fs::is_regular_file(path, error)) continue;
    if (path.find_first_of(": ") != std::string::npos) {
      throw InputError{path + ": cannot be preloaded from a folder whose name has a space or a colon in it"};
    }
    return path;
  }
  throw InputError{"libassay_record.so is not built: './assay build release' makes it"};
}

int run_recorded(const RecordedCommand& command) {
  const std::string program = find_program(command.arguments.at(0));
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) throw InputError{fmt::format("no pipe can be made: {}", std::strerror(errno))};
  const SignalsBelongToTheChild signals;
  const pid_t child = fork();
  if (child == 0) {
    signals.restore();
    become_program(command, program);
    const int error = errno;
    [[maybe_unused]] const ssize_t told = write(failure[1], &error, sizeof error);
    _exit(127);
  }
  const int fork_error = errno;
  g_child = child;
  close(failure[1]);
  int error = 0;
  ssize_t got = -1;
  while (child > 0 && (got = read(failure[0], &error, sizeof error)) < 0 && errno == EINTR) {
  }
  close(failure[0]);
  if (child < 0) throw InputError{fmt::format("no process can be started: {}", std::strerror(fork_error))};

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  g_child = 0;
  if (got == sizeof error) throw InputError{fmt::format("{}: cannot be run: {}", program, std::strerror(error))};
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace assay
