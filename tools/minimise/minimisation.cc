#include "tools/minimise/minimisation.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "harness/op/minimise.h"
#include "harness/report/violation_report.h"
#include "tools/minimise/program_runner.h"
#include "tools/minimise/rate_test.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kRunsOfNothing = 20;
constexpr uint64_t kRunsForARate = 40;
constexpr uint64_t kRunsForGrowth = 3;  // of one that shows nothing else: each takes half a second

// For candidates of what hangs, or may (a forked child); what is only slow is found out when the result is confirmed.
constexpr uint64_t kShortHangMs = 700;

// How candidates are tried; the cheapest way first, the next one when its result is not confirmed.
struct Strategy {
  bool reuse_process = false;
  bool repeat = false;  // by RateTest instead of one run
  bool impatient = false;
};

std::vector<Strategy> strategies_for(const Showing& original) {
  const bool hangs = original.violation.oracle == Oracle::kHang;
  const bool forks = original.violation.oracle == Oracle::kFork;
  if (!original.always()) return {{.repeat = true, .impatient = hangs}};
  std::vector<Strategy> strategies;
  if (forks) strategies.push_back({.reuse_process = true, .impatient = true});
  if (hangs) strategies.push_back({.impatient = true});
  if (!hangs) strategies.push_back({.reuse_process = true});
  strategies.push_back({});
  strategies.push_back({.repeat = true});
  return strategies;
}

// Counts tokens over runs in fresh processes.
class Observation {
 public:
  explicit Observation(std::string expected) : expected_(std::move(expected)) {}

  void add(const RunResult& result, const CameFailures& came) {
    ++runs_;
    if (!result.violation) return;
    const std::string token = dedup_token(result.violation);
    if (!first_.contains(token)) first_[token] = {result.violation, came.all()};
    ++seen_[token];
  }
  uint64_t runs() const { return runs_; }

  Showing showing() const {
    Showing result;
    result.runs = runs_;
    for (const auto& [token, seen] : seen_) {
      const bool better = token == expected_ || (seen > result.seen && !seen_.contains(expected_));
      if (!better) continue;
      result.token = token;
      result.seen = seen;
    }
    if (result.seen > 0) {
      result.violation = first_.at(result.token).violation;
      result.came = first_.at(result.token).came;
    }
    return result;
  }

 private:
  std::string expected_;
  std::map<std::string, uint64_t> seen_;
  struct First {
    Violation violation;
    std::vector<CameFailure> came;
  };
  std::map<std::string, First> first_;
  uint64_t runs_ = 0;
};

std::optional<uint64_t> known(uint64_t number) {
  return number == kNoOperation ? std::nullopt : std::optional(number);
}

class ProgressLine {
 public:
  ProgressLine(std::FILE* out, uint64_t before) : out_(out), before_(before) {}
  ~ProgressLine() {
    if (shown_) fmt::print(out_, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const MinimiseProgress& at) {
    const auto now = Clock::now();
    if (out_ == nullptr || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
    fmt::print(out_, "\r\033[Kminimising: {} of {} operations, {} tries ({})", at.operations, before_, at.tries,
               at.pass);
    std::fflush(out_);
    last_ = now;
    shown_ = true;
  }

 private:
  std::FILE* out_;
  uint64_t before_;
  Clock::time_point last_;
  bool shown_ = false;
};

// An empty token stands for any.
bool is_wanted(const std::string& token, const std::string& wanted) {
  return wanted.empty() ? !token.empty() : token == wanted;
}

MinimiseResult minimise_by(const Strategy& strategy, const WorkerCommand& command, const Program& program,
                           const Showing& original, const MinimisationOptions& options, Clock::time_point end) {
  RunnerOptions runs;
  runs.reuse_process = strategy.reuse_process;
  runs.check_growth = original.violation.oracle == Oracle::kFootprint;
  if (strategy.impatient) runs.silence_limit_ms = runs.fork_limit_ms = kShortHangMs;
  ProgramRunner runner(command, runs);
  const RateTest test{.rate = static_cast<double>(original.seen) / static_cast<double>(original.runs)};
  const StillFails still_fails = [&](const Program& candidate) {
    const auto shows = [&] { return is_wanted(runner.token(candidate), original.token); };
    return strategy.repeat ? rate_stays(test, shows) : shows();
  };
  ProgressLine line(options.progress, program.operations());
  MinimiseOptions settings;
  settings.guilty_line = known(original.violation.line);
  settings.victim_slot = known(original.violation.victim_slot);
  settings.progress = [&](const MinimiseProgress& at) {
    line.show(at);
    return Clock::now() < end;
  };
  return minimise(program, still_fails, settings);
}

// What never came is dropped at once, instead of being tried away one by one, and again from the result, where the
// passes may not have come so far.
Program only_what_came(const WorkerCommand& command, const Program& program, const Showing& showing) {
  return command.mode == Mode::kFree ? program : without_dead_failures(program, showing.came);
}

// Half the rate is what a step may cost; two standard deviations are chance.
bool confirmed(const Showing& original, const Showing& result) {
  if (!is_wanted(result.token, original.token)) return false;
  if (original.always()) return result.always();
  const double rate = static_cast<double>(original.seen) / static_cast<double>(original.runs);
  return static_cast<double>(result.seen) * 4 >= rate * static_cast<double>(result.runs);
}

}  // namespace

Showing observe(const WorkerCommand& command, const Program& program, const std::string& expected,
                uint64_t least_runs) {
  Observation observation(expected);
  RunnerOptions runs;
  while (true) {
    ProgramRunner runner(command, runs);
    const RunResult result = runner.run(program);
    observation.add(result, runner.came_failures());
    // One full wait shows that it hangs.
    if (result.violation.oracle == Oracle::kHang) runs.silence_limit_ms = kShortHangMs;
    const Showing showing = observation.showing();
    runs.check_growth =
        (showing.seen == 0 && showing.runs < kRunsForGrowth) || showing.violation.oracle == Oracle::kFootprint;
    uint64_t wanted = showing.always() ? least_runs : kRunsForARate;
    if (showing.seen == 0) wanted = kRunsOfNothing;
    if (showing.runs >= wanted) return showing;
  }
}

Minimisation minimise_on(const WorkerCommand& command, const Program& program, const Showing& shown,
                         const MinimisationOptions& options) {
  const auto end = Clock::now() + options.budget;
  const Program start = only_what_came(command, program, shown);
  Minimisation outcome{.program = start, .showing = shown, .original = shown};
  // What is looked for.
  if (options.any) outcome.original.token.clear();
  bool shows_sometimes = false;
  for (const Strategy& strategy : strategies_for(shown)) {
    // A result that shows it now and then, like a strategy of last resort, says that few runs had agreed by chance.
    if (strategy.repeat && outcome.original.always()) {
      outcome.original = observe(command, start, shown.token, kRunsForARate);
      if (options.any) outcome.original.token.clear();
    }
    if (shows_sometimes && !strategy.repeat) continue;
    const MinimiseResult result = minimise_by(strategy, command, start, outcome.original, options, end);
    outcome.tries += result.tries;
    outcome.stopped_early = result.stopped_early;
    const Showing showing = observe(command, result.program, outcome.original.token);
    if (confirmed(outcome.original, showing)) {
      outcome.program = only_what_came(command, result.program, showing);
      outcome.showing = showing;
      break;
    }
    shows_sometimes = is_wanted(showing.token, outcome.original.token);
  }
  return outcome;
}

}  // namespace assay
