#include "harness/report/child.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "harness/oracle/describe.h"
#include "harness/report/crash.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

enum class State : uint8_t { kRunning, kDone, kBadInput, kBroken };

// What both processes see.
struct Shared {
  State state = State::kRunning;
  Progress progress;
  Violation crash;
  RunResult result;
  char message[512] = {};
};

class SharedMemory {
 public:
  SharedMemory() {
    void* pages = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::runtime_error("no shared memory for a child");
    shared_ = new (pages) Shared;
  }
  ~SharedMemory() { munmap(shared_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_;
};

[[noreturn]] void be_the_child(StepSource& steps, const Subject& subject, RunOptions options, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  options.progress = &shared.progress;
  install_crash_handlers(subject, shared.progress, shared.crash);
  try {
    shared.result = run_sequential(steps, subject, options);
    shared.state = State::kDone;
  } catch (const InputError& error) {
    describe(shared.message, "{}", error.message);
    shared.state = State::kBadInput;
  } catch (const std::exception& error) {
    describe(shared.message, "{}", error.what());
    shared.state = State::kBroken;
  }
  _exit(0);
}

Violation at_progress(const Progress& progress, Oracle oracle) {
  Violation violation;
  violation.oracle = oracle;
  violation.line = progress.line;
  violation.member = progress.member;
  violation.op_code = progress.op_code;
  describe(violation.expected, "the call returns");
  return violation;
}

Violation ended_by(int status, const Progress& progress) {
  if (WIFSIGNALED(status)) {
    Violation violation = at_progress(progress, WTERMSIG(status) == SIGABRT ? Oracle::kAbort : Oracle::kCrash);
    describe(violation.sentence, "the process died of SIG{}", sigabbrev_np(WTERMSIG(status)));
    describe(violation.seen, "SIG{}", sigabbrev_np(WTERMSIG(status)));
    return violation;
  }
  Violation violation = at_progress(progress, Oracle::kExit);
  describe(violation.sentence, "the allocator ended the process");
  describe(violation.seen, "exit status {}", WEXITSTATUS(status));
  return violation;
}

// Waits for the child's end; kills it, and returns false, when it stands still for too long.
bool wait_for(pid_t child, const Progress& progress, const ChildLimits& limits, int& status) {
  const auto start = Clock::now();
  auto last_change = start;
  uint64_t last_steps = 0;
  auto nap = std::chrono::microseconds(100);
  while (true) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    const auto now = Clock::now();
    if (progress.steps != last_steps) {
      last_steps = progress.steps;
      last_change = now;
    }
    if (now - last_change > std::chrono::milliseconds(limits.silence_ms) ||
        now - start > std::chrono::milliseconds(limits.total_ms)) {
      kill(child, SIGKILL);
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      return false;
    }
    std::this_thread::sleep_for(nap);
    nap = std::min<std::chrono::microseconds>(nap * 2, std::chrono::milliseconds(20));
  }
}

}  // namespace

RunResult run_in_child(StepSource& steps, const Subject& subject, const RunOptions& options,
                       const ChildLimits& limits) {
  const SharedMemory shared;
  const pid_t child = fork();
  if (child == 0) be_the_child(steps, subject, options, *shared.operator->());
  if (child < 0) throw std::runtime_error("the system gives no more processes");
  int status = 0;
  const bool finished = wait_for(child, shared->progress, limits, status);
  if (shared->state == State::kDone) return shared->result;
  const std::string message = shared->message;
  if (shared->state == State::kBadInput) throw InputError{message};
  if (shared->state == State::kBroken) throw std::runtime_error(message);
  RunResult result;
  result.executed = shared->progress.steps;
  if (!finished) {
    result.violation = at_progress(shared->progress, Oracle::kHang);
    describe(result.violation.sentence, "the operation does not end");
    describe(result.violation.seen, "no progress within {} ms", limits.silence_ms);
  } else if (shared->crash) {
    result.violation = shared->crash;
  } else if (shared->progress.in_subject == 0) {
    throw std::runtime_error("the harness ended while it ran a program");
  } else {
    result.violation = ended_by(status, shared->progress);
  }
  return result;
}

}  // namespace assay
