#include "harness/exec/fork_watch.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "harness/exec/operations.h"
#include "harness/model/uninitialised.h"
#include "harness/oracle/describe.h"
#include "harness/subject/quiet_child.h"

namespace assay {
namespace {

// What the child says.
struct Report {
  Violation violation;
  SeamAccount seam;
};
// One write: the record is smaller than what a pipe takes at once.
static_assert(sizeof(Report) < 4096);

[[noreturn]] void be_the_child(Operations& operations, Violation& violation, uint64_t limit_ms, int report_fd) {
  become_quiet_child(static_cast<unsigned>(limit_ms / 1000) + 2);
  violation = {};
  const bool right = operations.run_in_forked_child();
  if (right) violation = {};
  Report report{violation, operations.seam().account()};
  // MemorySanitizer looks at what is written to a pipe, and saw none of this being made.
  mark_initialised(&report, sizeof report);
  const ssize_t written = write(report_fd, &report, sizeof report);
  _exit(written == static_cast<ssize_t>(sizeof report) ? 0 : 1);
}

// False when nothing came: the child died, or `hung`.
bool read_report(int fd, uint64_t limit_ms, Report& report, bool& hung) {
  pollfd ready{fd, POLLIN, 0};
  // MemorySanitizer looks at what poll() is given, and did not see it being made.
  mark_initialised(&ready, sizeof ready);
  int events = 0;
  do {
    events = poll(&ready, 1, static_cast<int>(limit_ms));
  } while (events < 0 && errno == EINTR);
  hung = events == 0;
  return events > 0 && read(fd, &report, sizeof report) == static_cast<ssize_t>(sizeof report);
}

void describe_end(int status, bool hung, uint64_t limit_ms, Violation& violation) {
  violation.oracle = Oracle::kFork;
  describe(violation.expected, "a child that checks, allocates and frees, and reports");
  if (hung) {
    describe(violation.sentence, "the forked child hangs");
    describe(violation.seen, "no report within {} ms", limit_ms);
  } else if (WIFSIGNALED(status)) {
    describe(violation.sentence, "the forked child crashed");
    describe(violation.seen, "signal {} (SIG{})", WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
  } else {
    describe(violation.sentence, "the forked child ended without a report");
    describe(violation.seen, "exit status {}", WEXITSTATUS(status));
  }
}

// Another oracle's objection, raised in the child, is one of fork here: the same block was right in the parent.
void take_over(const Violation& report, Violation& violation) {
  const Oracle oracle = report.oracle;
  violation = report;
  violation.oracle = Oracle::kFork;
  describe(violation.sentence, "in the forked child ({}): {}", name(oracle), static_cast<const char*>(report.sentence));
}

}  // namespace

bool run_forked(Operations& operations, uint64_t limit_ms, Violation& violation) {
  int ends[2];
  if (pipe(ends) != 0) return true;
  const SeamAccount before = operations.seam().account();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    be_the_child(operations, violation, limit_ms, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return true;
  }
  Report report;
  bool hung = false;
  const bool reported = read_report(ends[0], limit_ms, report, hung);
  close(ends[0]);
  if (!reported) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!reported) {
    describe_end(status, hung, limit_ms, violation);
    return false;
  }
  operations.seam().add(before, report.seam);
  if (!report.violation) return true;
  take_over(report.violation, violation);
  return false;
}

}  // namespace assay
