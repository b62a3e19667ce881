#include "tools/minimise/program_runner.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "harness/op/text.h"
#include "harness/report/violation_report.h"

namespace assay {
namespace {

// What a candidate's process says while it dies is of no interest: the report follows at the end.
WorkerCommand silent(WorkerCommand command, uint64_t silence_limit_ms) {
  command.stderr_path = "/dev/null";
  command.silence_limit_ms = silence_limit_ms;
  return command;
}

}  // namespace

ProgramRunner::ProgramRunner(const WorkerCommand& command, const RunnerOptions& options)
    : options_(options),
      worker_(silent(command, options.silence_limit_ms)),
      file_(::memfd_create("assay-candidate", MFD_CLOEXEC)),
      path_(fmt::format("/proc/{}/fd/{}", ::getpid(), file_)) {
  if (file_ < 0) throw std::runtime_error(fmt::format("no memory file: {}", std::strerror(errno)));
}

ProgramRunner::~ProgramRunner() {
  ::close(file_);
}

void ProgramRunner::write_file(const Program& program) {
  const std::string text = print_text(program);
  bool ok = ::ftruncate(file_, 0) == 0;
  for (size_t at = 0; ok && at < text.size();) {
    const ssize_t written = ::pwrite(file_, text.data() + at, text.size() - at, static_cast<off_t>(at));
    ok = written > 0;
    if (ok) at += static_cast<size_t>(written);
  }
  if (!ok) throw std::runtime_error(fmt::format("a candidate cannot be written: {}", std::strerror(errno)));
}

RunResult ProgramRunner::run(const Program& program) {
  write_file(program);
  WorkRequest request;
  request.file = path_;
  request.check_growth = options_.check_growth;
  request.logs_os_calls = options_.logs_os_calls;
  request.options.fork_limit_ms = options_.fork_limit_ms;
  const RunResult result = worker_.run(request);
  // What a violation has left behind, a reset need not repair.
  if (!options_.reuse_process || !worker_.resettable() || result.violation) worker_.stop();
  return result;
}

std::string ProgramRunner::token(const Program& program) {
  const RunResult result = run(program);
  return result.violation ? dedup_token(result.violation) : "";
}

}  // namespace assay
