#include "fuzz/support/entry.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "allocator/include/ximalloc_debug.h"
#include "fuzz/support/counters.h"
#include "fuzz/support/engine.h"
#include "fuzz/support/stats_page.h"
#include "harness/exec/outcome_counters.h"
#include "harness/exec/worker.h"
#include "harness/exec/worker_command.h"
#include "harness/op/decode.h"
#include "harness/report/violation_report.h"
#include "harness/subject/registry.h"
#include "harness/subject/shared_object.h"
#include "harness/subject/subject_spec.h"

namespace assay::fuzz {
namespace {

// Less than the engine's limit of resident memory leaves room for.
constexpr uint64_t kLiveBytesCap = uint64_t{256} << 20;

struct State {
  Target target{};
  std::string subject_name;
  Mode mode = Mode::kSequential;
  std::unique_ptr<Subject> subject;  // one of the three
  std::unique_ptr<Worker> worker;
  std::unique_ptr<ComparedSubjects> list;
  StatsPage* stats = nullptr;
  Program program;            // its memory is used again for each input
  bool instrumented = false;  // the subject has counters of its own
  bool resettable = false;
};
State state;

[[noreturn]] void refuse(const std::string& why) {
  fmt::print(stderr, "assay: {}\n", why);
  std::_Exit(2);
}

// Threads of one process share the coverage counters: on two cores they fight for the cache lines that these are in,
// and run six times slower.
void stay_on_one_core() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const int core = sched_getcpu();
  if (core < 0 || !CPU_ISSET(core, &allowed)) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  sched_setaffinity(0, sizeof one, &one);
}

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0 ? value : otherwise;
}

void open_list_under_test(char** argv) {
  if (state.mode != Mode::kSequential) refuse("several subjects are compared in mode sequential only");
  for (const std::string& subject : split_subjects(state.subject_name)) {
    if (!subject_file(subject).empty()) ensure_static_tls(argv);
  }
  state.list = state.target.open_list(state.subject_name);
}

void open_subject_under_test(char** argv) {
  if (is_subject_list(state.subject_name) != (state.target.open_list != nullptr)) {
    refuse(fmt::format("{}: {} is {}", state.target.name, state.subject_name,
                       state.target.open_list != nullptr ? "one subject, and several are compared"
                                                         : "several subjects, which target differential compares"));
  }
  if (state.target.open_list != nullptr) return open_list_under_test(argv);
  if (hidden_from_thread_sanitizer(state.subject_name, ASSAY_FLAVOUR, state.mode) ||
      must_run_apart(state.subject_name)) {
    WorkerCommand command = worker_apart(state.subject_name);
    command.mode = state.mode;
    state.worker = std::make_unique<Worker>(std::move(command));
    state.worker->start();
    return;
  }
  if (!subject_file(state.subject_name).empty()) ensure_static_tls(argv);
  state.subject = open_subject(state.subject_name);
  state.resettable = state.subject->instruments().reset != nullptr;
}

// The allocator was meant to be instrumented, and nothing else: else coverage would lead the engine astray.
void check_counters() {
  const CounterCensus census = count_counters(xi_debug_owns_code);
  if (census.foreign > 0) {
    refuse(
        fmt::format("{}: {} coverage counters are not the allocator's (the first at {}); only allocator/ may have them",
                    state.target.name, census.foreign, fmt::ptr(census.first_foreign)));
  }
  if (census.allocator > kMaxCounters) harness_bug("the stats page has room for fewer counters");
  state.stats->allocator_counters = census.allocator;
  const bool in_process = state.subject != nullptr || state.list != nullptr;
  // Of a list the first.
  state.instrumented = in_process && state.subject_name.substr(0, state.subject_name.find_first_of(",{")) == "ximalloc";
  if (state.instrumented && census.allocator < state.target.counter_floor) {
    refuse(fmt::format(
        "{}: the allocator contributes {} coverage counters, at least {} are wanted: it was not instrumented",
        state.target.name, census.allocator, state.target.counter_floor));
  }
  if (!state.instrumented) {
    state.stats->uses_extra_counters = 1;
    const uint64_t own = state.worker ? state.worker->coverage_counters() : 0;
    fmt::print(stderr, "assay: {} has {} coverage counters; guided by {}{} counters of what its calls do\n",
               state.subject_name, own > 0 ? std::to_string(own) : "no", own > 0 ? "them and " : "", kOutcomeCounters);
  }
}

RunResult run_in_worker(std::span<const uint8_t> bytes, const RunOptions& options) {
  WorkRequest request;
  request.bytes = bytes;
  request.options = options;
  request.observe = true;
  const RunResult result = state.worker->run(request);
  extra_counters() = state.worker->counters();
  return result;
}

bool happens_at_accesses(const Program& program) {
  return std::any_of(program.lines.begin(), program.lines.end(), [](const Operation& line) {
    return std::any_of(line.schedule.begin(), line.schedule.end(),
                       [](const AccessEvent& event) { return event.access != 0; });
  });
}

// The way back from where the last program has left the allocator is no coverage of this one's. The run resets, too,
// and then always does the same.
void begin_afresh() {
  if (!state.resettable) return;
  state.subject->instruments().reset();
  forget_counters();
}

RunResult run_program(std::span<const uint8_t> bytes) {
  RunOptions options;
  options.strictness = Strictness::kSampled;
  options.live_bytes_cap = kLiveBytesCap;
  if (state.worker) return run_in_worker(bytes, options);
  begin_afresh();
  OutcomeCounters observer(extra_counters());
  if (!state.instrumented) options.observer = &observer;
  decode_into(bytes, state.program);
  if (state.list) {
    WorkRequest request;
    request.bytes = bytes;
    request.options = options;
    return state.list->run(request, state.program);
  }
  // Its replay would be refused; the mutator makes none for such a subject, noise does.
  if (state.mode == Mode::kSchedule && !accesses_are_seen() && happens_at_accesses(state.program)) return {};
  return run_in_mode(state.program, state.mode, *state.subject, options);
}

void account(const RunResult& result) {
  StatsPage& stats = *state.stats;
  stats.programs = stats.programs + 1;
  stats.executed = stats.executed + result.executed;
  stats.skipped = stats.skipped + result.skipped;
  stats.preemptions = stats.preemptions + result.preemptions;
  for (const OpInfo& op : all_ops()) {
    const auto code = static_cast<size_t>(op.code);
    stats.executed_by_op[code] = stats.executed_by_op[code] + result.executed_by_op[code];
  }
  if (state.instrumented) {
    mark_seen(counters(), stats.counters_seen);
  } else {
    mark_seen(extra_counters(), stats.extra_seen);
  }
}

// Prints the report and aborts, so that the engine keeps the input; returns where the driver knows the violation well
// enough and the next program does not suffer from it: the allocator begins afresh, or it was a forked child's.
void on_violation(std::span<const uint8_t> bytes, const Violation& violation) {
  StatsPage& stats = *state.stats;
  const std::string token = dedup_token(violation);
  // Threads that ran at the same time may still be inside of it, or stand there for ever, with a lock.
  const bool survived = (state.resettable && state.mode == Mode::kSequential) || state.worker != nullptr ||
                        violation.oracle == Oracle::kFork || violation.oracle == Oracle::kDivergence;
  if (survived && stats.is_settled(token_hash(token))) {
    stats.tolerated = stats.tolerated + 1;
    if (state.worker) state.worker->stop();
    return;
  }
  if (stats.evidence_held == 0) {
    const size_t length = std::min(token.size(), sizeof stats.last_token - 1);
    std::memcpy(stats.last_token, token.data(), length);
    stats.last_token[length] = 0;
  }
  const Program program = decode(bytes);
  ReportContext context;
  context.subject = state.subject_name;
  context.subject_version = state.list     ? state.list->version()
                            : state.worker ? state.worker->subject_version()
                                           : state.subject->version();
  context.flavour = ASSAY_FLAVOUR;
  context.mode = name(state.mode);
  context.replay_command = "./assay replay <the artifact below>";
  fmt::print(stderr, "{}\n", violation_text(program, violation, context));
  std::fflush(stderr);
  std::abort();
}

// The engine keeps no program of which a process ends by itself.
[[noreturn]] void harness_bug_with(std::span<const uint8_t> bytes, const std::string& what) {
  state.stats->current.keep(bytes);
  harness_bug(what);
}

}  // namespace

void harness_bug(const std::string& what) {
  fmt::print(stderr, "HARNESS BUG: {}\n", what);
  std::_Exit(3);
}

bool accesses_are_seen() {
  return state.subject != nullptr && state.subject->instruments().set_access_hooks != nullptr;
}

Mode mode_under_test() {
  return state.mode;
}

void initialize(const Target& target, char** argv) {
  state.target = target;
  state.subject_name = environment("ASSAY_SUBJECT", target.subject);
  const std::string mode = environment("ASSAY_MODE", name(target.mode).data());
  if (!find_mode(mode)) refuse(fmt::format("ASSAY_MODE: unknown mode '{}'", mode));
  state.mode = *find_mode(mode);
  if (state.mode != Mode::kSequential) stay_on_one_core();
  const std::string page = environment("ASSAY_STATS", "");
  state.stats = map_stats(page);
  if (state.stats == nullptr) refuse(page + ": " + std::strerror(errno));
  state.stats->last_token[0] = 0;
  state.stats->recent.forget();
  engine_begins(*state.stats);
  try {
    open_subject_under_test(argv);
    check_counters();
  } catch (const InputError& error) {
    refuse(error.message);
  } catch (const std::exception& error) {
    harness_bug(error.what());
  }
}

void run_one(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  if (!state.resettable) state.stats->keep_recent(bytes);
  program_begins(*state.stats, bytes);
  try {
    const RunResult result = run_program(bytes);
    account(result);
    if (result.violation) on_violation(bytes, result.violation);
    program_ends(*state.stats);
  } catch (const InputError& error) {
    harness_bug_with(bytes, error.message);
  } catch (const std::exception& error) {
    harness_bug_with(bytes, error.what());
  }
}

}  // namespace assay::fuzz
