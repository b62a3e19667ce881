#include "tools/replay_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/exec/worker_command.h"
#include "harness/op/read_program.h"
#include "harness/op/trace.h"
#include "harness/report/violation_report.h"
#include "harness/subject/subject_spec.h"

namespace assay {
namespace {

// Hashes of a trace's processes become one; the order counts.
uint64_t combined(uint64_t hash, uint64_t next) {
  return (hash ^ next) * 0x9E3779B97F4A7C15u + 1;
}

WorkerCommand command_for(const std::string& subject, const std::string& flavour, Mode mode) {
  if (hidden_from_thread_sanitizer(subject, flavour, mode) || must_run_apart(subject)) return worker_apart(subject);
  if (flavour == ASSAY_FLAVOUR) return own_worker("/proc/self/exe", subject);
  const std::string sibling = sibling_executable(flavour, "assay");
  if (sibling.empty()) {
    throw InputError{fmt::format("flavour '{0}' has not been built here: run ./assay build {0}", flavour)};
  }
  return own_worker(sibling, subject);
}

// Where system calls are to fail, anyone's allocator runs in the plain worker, whatever the flavour: nothing of ours
// shares its memory there, so that it makes the calls that a sweep has seen.
bool wants_plain_worker(const std::string& subject, const Program& program) {
  const auto fails = [](const Operation& line) { return !line.fails.empty(); };
  return !is_subject_list(subject) && parse_subject_spec(subject).subject != "ximalloc" &&
         std::ranges::any_of(program.lines, fails);
}

void refuse_missed_failure(const ReplayInput& input, const RunResult& result) {
  if (input.form != Form::kText || input.may_have_dead_failures) return;
  if (result.violation || !result.misses_failure) return;
  const std::string where = result.missed_line == kNoOperation ? "end()" : fmt::format("op {}", result.missed_line);
  throw InputError{fmt::format("{}: {}: {} never comes", input.file, where, print_failure(result.missed))};
}

}  // namespace

ReplayInput load_replay_input(const std::string& file) {
  ReplayInput input;
  input.file = file;
  input.form = form_of_file(file);
  if (input.form == Form::kTrace) {
    input.trace_processes = TraceFile(file).processes().size();
  } else {
    input.program = read_program(file);
  }
  return input;
}

ReplayRunner::ReplayRunner(const std::string& subject, const std::string& flavour, Mode mode, std::string stderr_path)
    : subject_(subject), flavour_(flavour), usual_(command_for(subject, flavour, mode)) {
  usual_.mode = mode;
  usual_.stderr_path = std::move(stderr_path);
  command_ = usual_;
  Worker(command_).start();
}

void ReplayRunner::choose_worker(const ReplayInput& input) {
  command_ = usual_;
  if (input.form == Form::kTrace || !wants_plain_worker(subject_, input.program)) return;
  const WorkerCommand plain = worker_apart(subject_);
  command_.arguments = plain.arguments;
  command_.environment = plain.environment;
}

RunResult ReplayRunner::run_once(const ReplayInput& input, bool print_steps, ReplayVerdict& verdict) {
  WorkRequest request;
  request.file = input.file;
  request.trace = input.form == Form::kTrace;
  request.options.print_steps = print_steps;
  const size_t processes = request.trace ? input.trace_processes : 1;
  RunResult total;
  for (size_t process = 0; process < processes; ++process) {
    request.trace_process = static_cast<uint32_t>(process);
    Worker worker(command_);
    const RunResult result = worker.run(request);
    verdict.subject_version = worker.subject_version();
    came_ = worker.came_failures().all();
    total.executed += result.executed;
    total.skipped += result.skipped;
    total.failed_os_calls += result.failed_os_calls;
    if (result.misses_failure) {
      total.misses_failure = true;
      total.missed = result.missed;
      total.missed_line = result.missed_line;
    }
    total.trace_hash = processes == 1 ? result.trace_hash : combined(total.trace_hash, result.trace_hash);
    if (result.violation && !total.violation) {
      total.violation = result.violation;
      if (verdict.token.empty()) verdict.trace_process = process;
    }
  }
  return total;
}

ReplayVerdict ReplayRunner::run(const ReplayInput& input, uint64_t times, bool print_steps) {
  choose_worker(input);
  ReplayVerdict verdict;
  for (uint64_t i = 0; i < times; ++i) {
    const RunResult result = run_once(input, print_steps, verdict);
    ++verdict.times_run;
    verdict.trace_hashes.push_back(result.trace_hash);
    if (i == 0) {
      verdict.operations = result.executed;
      verdict.skipped = result.skipped;
      verdict.failed_os_calls = result.failed_os_calls;
      verdict.came = came_;
      refuse_missed_failure(input, result);
    }
    if (!result.violation) continue;
    const std::string token = dedup_token(result.violation);
    if (verdict.token.empty()) {
      verdict.violation = result.violation;
      verdict.came = came_;
      verdict.token = token;
    }
    if (token == verdict.token) ++verdict.times_seen;
  }
  return verdict;
}

Program ReplayRunner::that_came(const ReplayInput& input, const ReplayVerdict& verdict) const {
  if (command_.mode == Mode::kFree || input.form == Form::kTrace) return input.program;
  return without_dead_failures(input.program, verdict.came);
}

}  // namespace assay
