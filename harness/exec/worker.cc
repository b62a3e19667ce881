#include "harness/exec/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>

#include "harness/exec/process_load.h"

extern char** environ;

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// How often a waiting parent looks whether its worker is still there.
constexpr uint64_t kLookEveryMs = 20;

// A worker that the machine does not let run is waited for so many times as long as one that stands still.
constexpr uint64_t kMostPatience = 6;

// How long a worker that hangs is given to say where.
constexpr uint64_t kLastWordsMs = 500;

// What a program that kills the worker outside the subject is tried on once more.
constexpr std::string_view kControlSubject = "libc";

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::vector<std::string>& ours) {
  std::vector<std::string> result = ours;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name(*entry, std::strcspn(*entry, "=") + 1);
    const bool replaced = std::any_of(ours.begin(), ours.end(), [&](const auto& s) { return s.starts_with(name); });
    if (!replaced) result.emplace_back(*entry);
  }
  return result;
}

template <size_t N>
void set_text(char (&out)[N], std::string_view text) {
  const size_t length = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), length);
  out[length] = 0;
}

Violation violation_at(const Progress& progress, Oracle oracle) {
  Violation violation;
  violation.oracle = oracle;
  violation.line = progress.line;
  violation.member = progress.member;
  violation.op_code = progress.op_code;
  return violation;
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? fmt::format("SIG{}", sigabbrev_np(WTERMSIG(status)))
                             : fmt::format("exit status {}", WEXITSTATUS(status));
}

std::string where(const Progress& progress) {
  return progress.line == kNoOperation ? "before or after the program" : fmt::format("near op {}", progress.line);
}

// The same worker on the control subject, or nothing where that is what it runs on.
std::optional<WorkerCommand> control_of(const WorkerCommand& command) {
  WorkerCommand control = command;
  const auto option = std::find(control.arguments.begin(), control.arguments.end(), "--subject");
  if (control.arguments.end() - option < 2 || *(option + 1) == kControlSubject) return std::nullopt;
  *(option + 1) = kControlSubject;
  std::erase_if(control.environment, [](const std::string& entry) { return entry.starts_with("LD_PRELOAD="); });
  return control;
}

}  // namespace

Worker::Worker(WorkerCommand command) : command_(std::move(command)) {
  open_channel();
}

void Worker::open_channel() {
  owner_ = ::getpid();
  channel_fd_ = ::memfd_create("assay-worker", MFD_CLOEXEC);
  if (channel_fd_ < 0 || ::ftruncate(channel_fd_, sizeof(WorkerChannel)) != 0) give_up("no shared memory");
  channel_ = map_channel(channel_fd_);
  if (channel_ == nullptr) give_up("shared memory cannot be mapped");
}

void Worker::close_channel() {
  unmap_channel(channel_);
  ::close(channel_fd_);
}

Worker::~Worker() {
  stop();
  close_channel();
}

void Worker::give_up(const std::string& why) {
  throw std::runtime_error(fmt::format("{}: {} ({})", command_.arguments.at(0), why, std::strerror(errno)));
}

void Worker::leave_to_parent() {
  if (owner_ == ::getpid()) return;
  pid_ = -1;
  close_channel();
  open_channel();
}

void Worker::stop() {
  leave_to_parent();
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Worker::start() {
  leave_to_parent();
  if (pid_ >= 0) return;
  // Not value-initialised: what is large in it is zero, or is written before it is read.
  new (channel_) WorkerChannel;
  std::vector<std::string> arguments = command_.arguments;
  arguments.insert(arguments.end(), {"--channel", std::to_string(channel_fd_)});
  std::vector<std::string> environment = merged_environment(command_.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  int stderr_fd = -1;
  if (!command_.stderr_path.empty()) {
    stderr_fd = ::open(command_.stderr_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (stderr_fd < 0) give_up(command_.stderr_path);
  }
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::fcntl(channel_fd_, F_SETFD, 0);
    // The same addresses each time, as far as the system allows: they decide what a subject without a seam does.
    ::personality(ADDR_NO_RANDOMIZE);
    if (stderr_fd >= 0) ::dup2(stderr_fd, 2);
    // Standard output is for our own results, whatever a subject prints.
    ::dup2(2, 1);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  if (stderr_fd >= 0) ::close(stderr_fd);
  if (pid_ < 0) give_up("cannot be started");
  await_start();
}

bool Worker::ended(int& status) {
  pid_t result;
  do {
    result = ::waitpid(pid_, &status, WNOHANG);
  } while (result < 0 && errno == EINTR);
  if (result == 0) return false;
  pid_ = -1;
  return true;
}

void Worker::await_start() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(command_.start_limit_ms);
  while (true) {
    const WorkState state = wait_state(*channel_, WorkState::kStarting, kLookEveryMs);
    if (state == WorkState::kIdle) return;
    const std::string message = channel_->message;
    if (state == WorkState::kRefused) {
      stop();
      throw InputError{message};
    }
    int status = 0;
    if (state == WorkState::kBroken || ended(status)) {
      stop();
      if (!message.empty()) throw std::runtime_error(message);
      if (WIFSIGNALED(status)) {
        throw InputError{fmt::format("the subject dies when it is loaded ({})", ::strsignal(WTERMSIG(status)))};
      }
      if (WIFEXITED(status) && WEXITSTATUS(status) == kOtherSources) {
        throw InputError{fmt::format("{}: was built from other sources than this program: run ./assay build",
                                     command_.arguments.at(0))};
      }
      throw std::runtime_error(fmt::format("{}: ended before it began", command_.arguments.at(0)));
    }
    if (Clock::now() > deadline) {
      stop();
      throw InputError{"the subject hangs when it is loaded"};
    }
  }
}

RunResult Worker::run(const WorkRequest& request) {
  start();
  WorkOrder& order = channel_->order;
  order.form = request.file.empty() ? WorkForm::kBytes : request.trace ? WorkForm::kTraceProcess : WorkForm::kFile;
  order.byte_count = static_cast<uint32_t>(std::min(request.bytes.size(), kMaxBytes));
  if (order.byte_count > 0) std::memcpy(channel_->bytes, request.bytes.data(), order.byte_count);
  if (request.file.size() >= sizeof order.path) throw InputError{request.file + ": the path is too long"};
  set_text(order.path, request.file);
  order.trace_process = request.trace_process;
  order.mode = command_.mode;
  order.strictness = request.options.strictness;
  order.print_steps = request.options.print_steps;
  order.live_bytes_cap = request.options.live_bytes_cap;
  order.fork_limit_ms = request.options.fork_limit_ms;
  order.break_at_line = request.options.break_at_line;
  order.break_at_member = request.options.break_at_member;
  order.observe = request.observe;
  order.explores = request.explore.has_value();
  if (request.explore) order.limits = *request.explore;
  order.compares = request.compares;
  if (request.compares) channel_->comparison.begin(request.drops, request.askable);
  order.check_growth = request.check_growth;
  order.logs_os_calls = request.logs_os_calls;
  channel_->judging_growth = false;
  channel_->crash = Violation{};
  channel_->came.clear();
  channel_->progress.trace_hash = 0;
  channel_->progress.steps = 0;
  channel_->progress.line = kNoOperation;
  channel_->progress.member = 0;
  channel_->progress.op_code = 255;
  set_state(*channel_, WorkState::kAsked);
  return await_result(request);
}

RunResult Worker::await_result(const WorkRequest& request) {
  uint64_t last_steps = 0;
  auto last_progress = Clock::now();
  uint64_t cpu_before = cpu_ms(pid_);
  while (true) {
    const WorkState state = wait_state(*channel_, WorkState::kAsked, kLookEveryMs);
    if (state == WorkState::kDone) {
      RunResult result = channel_->result;
      channel_->state.store(static_cast<uint32_t>(WorkState::kIdle), std::memory_order_relaxed);
      return result;
    }
    if (state == WorkState::kRefused || state == WorkState::kBroken) {
      const std::string message = channel_->message;
      stop();
      if (state == WorkState::kRefused) {
        const bool says_where = request.file.empty() || message.starts_with(request.file + ":");
        throw InputError{says_where ? message : request.file + ": " + message};
      }
      throw std::runtime_error(message);
    }
    int status = 0;
    if (ended(status)) return died(status, request);
    const uint64_t steps = channel_->progress.steps;
    const auto now = Clock::now();
    if (steps != last_steps) {
      last_steps = steps;
      last_progress = now;
      cpu_before = cpu_ms(pid_);
    } else if (now - last_progress > std::chrono::milliseconds(command_.silence_limit_ms)) {
      const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_progress);
      if (!was_kept_waiting(static_cast<uint64_t>(silence.count()), cpu_ms(pid_) - cpu_before)) return fell_silent();
    }
  }
}

RunResult Worker::died(int status, const WorkRequest& request) {
  // What breaks only when the program runs again is not what the program shows.
  if (channel_->judging_growth) return channel_->result;
  RunResult result;
  result.executed = channel_->progress.steps;
  result.trace_hash = channel_->progress.trace_hash;
  if (channel_->crash) {
    result.violation = channel_->crash;
    return result;
  }
  const Progress& progress = channel_->progress;
  const bool outside = progress.in_subject == 0;
  if (outside && !ruined_by_the_subject(status, request)) {
    throw std::runtime_error(
        fmt::format("the worker ended outside the subject ({}, {})", ending(status), where(progress)));
  }
  const bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  const Oracle oracle = !WIFSIGNALED(status) ? Oracle::kExit : aborted ? Oracle::kAbort : Oracle::kCrash;
  result.violation = violation_at(progress, oracle);
  set_text(result.violation.sentence,
           outside ? fmt::format("the process died outside the allocator ({}), and does not on {}", ending(status),
                                 kControlSubject)
                   : fmt::format("the process died: {}", ending(status)));
  set_text(result.violation.seen, ending(status));
  set_text(result.violation.expected, outside ? "nothing but the blocks changes" : "the call returns");
  return result;
}

// An allocator that unmaps or overwrites what is not its own breaks the harness, or the C library, that stands beside
// it; where the same program does no harm on another allocator, it is not the harness that is at fault. Ours never
// does so unseen: its calls to the system are checked. Nothing that runs here ends a process by SIGKILL.
bool Worker::ruined_by_the_subject(int status, const WorkRequest& request) const {
  if (channel_->resettable || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) return false;
  const std::optional<WorkerCommand> command = control_of(command_);
  if (!command) return false;
  WorkRequest again = request;
  again.check_growth = false;
  again.options.print_steps = false;
  try {
    Worker(*command).run(again);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Ready to run, and given less than a quarter of what it asks for: the machine is silent, not the program. For ever
// would be too long all the same.
bool Worker::was_kept_waiting(uint64_t silence_ms, uint64_t cpu_used_ms) const {
  const uint64_t limit = command_.silence_limit_ms;
  return silence_ms < kMostPatience * limit && cpu_used_ms < limit / 4 && is_runnable(pid_);
}

void Worker::ask_where() {
  const auto thread = channel_->progress.thread_id;
  if (thread == 0 || ::syscall(SYS_tgkill, pid_, thread, kWhereSignal) != 0) return;
  const auto deadline = Clock::now() + std::chrono::milliseconds(kLastWordsMs);
  while (channel_->crash.frame[0] == 0 && Clock::now() < deadline) ::usleep(1000);
}

RunResult Worker::fell_silent() {
  if (!channel_->judging_growth) ask_where();
  stop();
  if (channel_->judging_growth) return channel_->result;
  RunResult result;
  result.executed = channel_->progress.steps;
  result.trace_hash = channel_->progress.trace_hash;
  result.violation = violation_at(channel_->progress, Oracle::kHang);
  set_text(result.violation.sentence,
           fmt::format("no progress for {} seconds", static_cast<double>(command_.silence_limit_ms) / 1000));
  set_text(result.violation.expected, "the call returns");
  set_text(result.violation.seen, "the call was still running when the watchdog ended it");
  set_text(result.violation.frame, channel_->crash.frame);
  return result;
}

}  // namespace assay
