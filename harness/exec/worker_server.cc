#include "harness/exec/worker_server.h"

#include <fmt/format.h>

#include <cstring>
#include <exception>
#include <optional>

#include "harness/exec/growth.h"
#include "harness/op/decode.h"
#include "harness/op/read_program.h"
#include "harness/op/trace.h"
#include "harness/subject/registry.h"

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

void run_order(WorkerChannel& channel, const Subject& subject) {
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
  }
  if (order.form == WorkForm::kTraceProcess) {
    if (order.mode != Mode::kSequential)
      throw InputError{"a trace runs in mode sequential; cut it with ./assay import"};
    const TraceFile trace(order.path);
    TraceSteps steps(trace, order.trace_process);
    channel.result = run_sequential(steps, subject, options);
    return;
  }
  const Program program =
      order.form == WorkForm::kFile ? read_program(order.path) : decode({channel.bytes, order.byte_count});
  channel.result = order.explores ? explore(program, subject, options, order.limits, channel.exploration)
                                  : run_in_mode(program, order.mode, subject, options);
  // Without a seam only repetition shows a leak; a replay has the time for it, a hunt has not.
  if (!channel.result.violation && order.check_growth && order.mode == Mode::kSequential &&
      order.strictness == Strictness::kStrict) {
    channel.judging_growth = true;
    options.came_failures = nullptr;
    check_growth(program, subject, options, channel.result.violation);
    channel.judging_growth = false;
  }
}

}  // namespace

int serve_worker(int channel_fd, const std::string& subject_name, const ServerHooks& hooks) {
  WorkerChannel* channel = map_channel(channel_fd);
  if (channel == nullptr || channel->layout != kChannelLayout) return 3;
  std::unique_ptr<Subject> subject;
  if (!answered(*channel, [&] { subject = open_subject(subject_name); })) return 2;
  set_text(channel->subject_version, subject->version());
  channel->resettable = subject->instruments().reset != nullptr;
  hooks.watch_for_crashes(*subject, channel->progress, channel->crash);
  WorkState state = WorkState::kIdle;
  set_state(*channel, state);
  // Ends by PR_SET_PDEATHSIG, or by the parent's hand.
  while (true) {
    while (state != WorkState::kAsked) state = wait_state(*channel, state, 60'000);
    if (answered(*channel, [&] { run_order(*channel, *subject); })) set_state(*channel, WorkState::kDone);
    state = WorkState::kDone;
  }
}

}  // namespace assay
