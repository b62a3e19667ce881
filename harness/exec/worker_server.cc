#include "harness/exec/worker_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <thread>

#include "harness/exec/growth.h"
#include "harness/exec/operations.h"
#include "harness/op/decode.h"
#include "harness/op/read_program.h"
#include "harness/op/trace.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"
#include "harness/subject/system_calls.h"

namespace assay {
namespace {

template <size_t N>
void set_text(char (&out)[N], std::string_view text) {
  const size_t length = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), length);
  out[length] = 0;
}

// Runs `work`; bad input and faults go to the parent as a state with a message.
template <typename Work>
bool answered(WorkerChannel& channel, const Work& work) {
  try {
    work();
    return true;
  } catch (const InputError& error) {
    set_text(channel.message, error.message);
    set_state(channel, WorkState::kRefused);
  } catch (const std::exception& error) {
    set_text(channel.message, error.what());
    set_state(channel, WorkState::kBroken);
  }
  return false;
}

constexpr std::chrono::milliseconds kPulse{50};

Program program_of(const WorkerChannel& channel) {
  const WorkOrder& order = channel.order;
  return order.form == WorkForm::kFile ? read_program(order.path) : decode({channel.bytes, order.byte_count});
}

void run_order(WorkerChannel& channel, const Subject& subject, const ServerHooks::Coverage* coverage) {
  const WorkOrder& order = channel.order;
  RunOptions options;
  options.strictness = order.strictness;
  options.live_bytes_cap = order.live_bytes_cap;
  options.print_steps = order.print_steps;
  options.fork_limit_ms = order.fork_limit_ms;
  options.break_at_line = order.break_at_line;
  options.break_at_member = order.break_at_member;
  options.progress = &channel.progress;
  options.came_failures = &channel.came;
  OutcomeCounters observer(channel.counters);
  if (order.observe) {
    channel.counters.fill(0);
    options.observer = &observer;
    if (coverage != nullptr) coverage->clear();
  }
  if (order.compares) options.comparison = &channel.comparison;
  if (order.form == WorkForm::kTraceProcess) {
    if (order.mode != Mode::kSequential)
      throw InputError{"a trace runs in mode sequential; cut it with ./assay import"};
    const TraceFile trace(order.path);
    TraceSteps steps(trace, order.trace_process);
    channel.result = run_sequential(steps, subject, options);
    return;
  }
  const Program program = program_of(channel);
  // A hunt pays for it only once something is to fail.
  const auto fails = [](const Operation& line) { return !line.fails.empty(); };
  if (order.strictness == Strictness::kStrict || std::ranges::any_of(program.lines, fails)) permit_system_call_watch();
  if (order.logs_os_calls) {
    OsCallLog* const log = new (channel.os_calls) OsCallLog;
    log->capacity = kMostLoggedCalls;
    options.os_calls = log;
  }
  channel.result = order.explores ? explore(program, subject, options, order.limits, channel.exploration)
                                  : run_in_mode(program, order.mode, subject, options);
  if (order.observe && coverage != nullptr) coverage->add_to(channel.counters);
  // Without a seam only repetition shows a leak; a replay has the time for it, a hunt has not.
  if (!channel.result.violation && order.check_growth && order.mode == Mode::kSequential &&
      order.strictness == Strictness::kStrict) {
    channel.judging_growth = true;
    // What is judged from here on is the repetition alone.
    options.came_failures = nullptr;
    options.comparison = nullptr;
    options.os_calls = nullptr;
    check_growth(program, subject, options, channel.result.violation);
    channel.judging_growth = false;
  }
}

// Does `work` whenever the parent asks. Ends by PR_SET_PDEATHSIG, or by the parent's hand.
template <typename Work>
[[noreturn]] void serve(WorkerChannel& channel, const Work& work) {
  WorkState state = WorkState::kIdle;
  set_state(channel, state);
  while (true) {
    while (state != WorkState::kAsked) state = wait_state(channel, state, 60'000);
    if (answered(channel, work)) set_state(channel, WorkState::kDone);
    state = WorkState::kDone;
  }
}

// Each subject of the list has a process of its own, which is watched for silence; this one only waits for them.
void run_list_order(WorkerChannel& channel, ComparedSubjects& subjects) {
  const WorkOrder& order = channel.order;
  if (order.mode != Mode::kSequential) throw InputError{"several subjects are compared in mode sequential only"};
  if (order.form == WorkForm::kTraceProcess) {
    throw InputError{"a trace is too long to be compared; cut it with ./assay import"};
  }
  WorkRequest request;
  if (order.form == WorkForm::kFile) {
    request.file = order.path;
  } else {
    request.bytes = {channel.bytes, order.byte_count};
  }
  request.options.strictness = order.strictness;
  request.options.live_bytes_cap = order.live_bytes_cap;
  request.options.fork_limit_ms = order.fork_limit_ms;
  request.options.print_steps = order.print_steps;
  request.check_growth = order.check_growth;
  const std::jthread pulse([&channel](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      channel.progress.steps = channel.progress.steps + 1;
      std::this_thread::sleep_for(kPulse);
    }
  });
  channel.result = subjects.run(request, program_of(channel));
}

}  // namespace

int serve_worker(int channel_fd, const std::string& subject_name, const ServerHooks& hooks) {
  WorkerChannel* channel = map_channel(channel_fd);
  if (channel == nullptr) return 1;
  if (channel->sources != harness_sources()) return kOtherSources;
  if (hooks.open_list != nullptr && is_subject_list(subject_name)) {
    std::unique_ptr<ComparedSubjects> subjects;
    if (!answered(*channel, [&] { subjects = hooks.open_list(subject_name); })) return 2;
    set_text(channel->subject_version, subjects->version());
    serve(*channel, [&] { run_list_order(*channel, *subjects); });
  }
  std::unique_ptr<Subject> subject;
  if (!answered(*channel, [&] { subject = open_subject(subject_name); })) return 2;
  set_text(channel->subject_version, subject->version());
  channel->askable = askable_operations(*subject);
  channel->coverage_counters = hooks.coverage == nullptr ? 0 : hooks.coverage->known();
  channel->resettable = subject->instruments().reset != nullptr;
  hooks.watch_for_crashes(*subject, channel->progress, channel->crash);
  serve(*channel, [&] { run_order(*channel, *subject, hooks.coverage); });
}

}  // namespace assay
