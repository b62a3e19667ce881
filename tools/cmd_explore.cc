// assay explore FILE…: runs programs of several threads under many schedules; one that violates something is written
// out as a program with its schedule, which replays.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <set>

#include "harness/exec/worker.h"
#include "harness/op/schedule.h"
#include "harness/op/text.h"
#include "harness/report/violation_report.h"
#include "harness/report/workdir.h"
#include "tools/atomic_file.h"
#include "tools/replay_report.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

// A find counts when its program shows it again in fresh processes.
constexpr uint64_t kReplays = 3;
constexpr uint32_t kUsualBound = 2;
constexpr uint32_t kUsualDepth = 3;
constexpr uint64_t kUsualRandomRuns = 10'000;
constexpr uint64_t kUsualExhaustiveRuns = 2'000'000;

struct ExploreOptions {
  std::vector<std::string> files;
  std::string strategy = "dfs";
  uint64_t bound = 0;
  bool bound_given = false;
  bool unbounded = false;
  uint64_t runs = 0;
  uint64_t older = 1;
  std::string sites;  // output, "" for none
};

ExploreLimits limits_of(const ExploreOptions& options, uint64_t seed) {
  ExploreLimits limits;
  limits.seed = seed;
  if (options.strategy == "dfs") {
    limits.bound = options.unbounded     ? ExploreLimits::kUnbounded
                   : options.bound_given ? static_cast<uint32_t>(options.bound)
                                         : kUsualBound;
    limits.older_values = static_cast<uint32_t>(options.older);
    limits.runs = options.runs != 0 ? options.runs : kUsualExhaustiveRuns;
    return limits;
  }
  limits.search = options.strategy == "pct" ? Search::kPct : Search::kRandom;
  limits.bound = options.bound_given ? static_cast<uint32_t>(options.bound) : kUsualDepth;
  limits.runs = options.runs != 0 ? options.runs : kUsualRandomRuns;
  return limits;
}

struct Explored {
  uint64_t schedules = 0, redundant = 0, choice_points = 0, accesses = 0;
  bool exhausted = false;
  double seconds = 0;
  std::string output;  // of the program with its schedule, "" where nothing was violated
};

class Explore {
 public:
  Explore(const ExploreOptions& options, const GlobalOptions& global)
      : options_(options), global_(global), limits_(limits_of(options, global.seed)) {
    if (!global.mode.empty() && global.mode != "schedule") {
      throw InputError{fmt::format("--mode {}: explore runs in mode schedule", global.mode)};
    }
    if (global.subjects.size() > 1) throw InputError{"--subject: one subject at a time"};
    for (const std::string& file : options.files) {
      inputs_.push_back(load_replay_input(file));
      if (inputs_.back().form == Form::kTrace) {
        throw InputError{fmt::format("{}: a trace runs in mode sequential; cut it with ./assay import", file)};
      }
    }
  }

  SubcommandOutcome run() {
    nlohmann::json files = nlohmann::json::array();
    uint64_t violations = 0;
    for (const ReplayInput& input : inputs_) {
      const Explored explored = explore_one(input);
      if (!explored.output.empty()) ++violations;
      nlohmann::json entry;
      entry["file"] = input.file;
      entry["strategy"] = options_.strategy;
      entry["bound"] = nullptr;
      if (limits_.bound != ExploreLimits::kUnbounded) entry["bound"] = limits_.bound;
      entry["schedules"] = explored.schedules;
      entry["redundant"] = explored.redundant;
      entry["exhausted"] = explored.exhausted;
      entry["choice_points"] = explored.choice_points;
      entry["granularity"] = explored.accesses == 0 ? "operation" : "access";
      entry["violations"] = explored.output.empty() ? 0 : 1;
      entry["schedules_per_second"] = rate(explored);
      entry["output"] = explored.output;
      files.push_back(std::move(entry));
    }
    if (!options_.sites.empty()) write_sites();
    SubcommandOutcome outcome;
    outcome.status = violations == 0 ? ExitStatus::kClean : ExitStatus::kViolation;
    outcome.message = violations == 0 ? fmt::format("{} clean", inputs_.size())
                                      : fmt::format("{} of {} violated", violations, inputs_.size());
    outcome.fields["files"] = std::move(files);
    outcome.fields["mode"] = "schedule";
    return outcome;
  }

 private:
  static double rate(const Explored& explored) {
    return explored.seconds > 0 ? static_cast<double>(explored.schedules) / explored.seconds : 0;
  }

  std::string flavour_for(const ReplayInput& input) const {
    if (!global_.flavour.empty()) return global_.flavour;
    return input.program.header.flavour.value_or("sched");
  }

  Explored explore_one(const ReplayInput& input) {
    const std::string subject =
        !global_.subjects.empty() ? global_.subjects.front() : input.program.header.subject.value_or("ximalloc");
    const std::string flavour = flavour_for(input);
    const ReplayRunner runner(subject, flavour, Mode::kSchedule);
    Explored explored;
    const auto start = std::chrono::steady_clock::now();
    Worker worker(runner.command());
    WorkRequest request;
    request.file = input.file;
    request.explore = limits_;
    const RunResult result = worker.run(request);
    explored.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Exploration& exploration = worker.exploration();
    explored.schedules = exploration.schedules;
    explored.redundant = exploration.redundant;
    explored.choice_points = exploration.choice_points;
    explored.accesses = exploration.accesses;
    explored.exhausted = exploration.exhausted;
    exploration.sites.each([this](uint64_t site) { sites_.insert(site); });
    print(input, subject, explored);
    if (result.violation) explored.output = hand_over(input, subject, flavour, result.violation, exploration.record);
    return explored;
  }

  void print(const ReplayInput& input, const std::string& subject, const Explored& explored) const {
    std::string bound = "no bound";
    if (limits_.bound != ExploreLimits::kUnbounded) bound = fmt::format("bound {}", limits_.bound);
    fmt::print(global_.human(), "{}: {} schedules by {} ({}), {} choice points at most, {}, {:.0f} schedules/s\n",
               input.file, explored.schedules, options_.strategy, bound, explored.choice_points,
               explored.exhausted ? "all there are" : "not all there are", rate(explored));
    if (explored.accesses == 0) {
      fmt::print(global_.human(), "{}: between operations only: {} does not tell of its accesses here\n", input.file,
                 subject);
    }
    std::fflush(global_.human());
  }

  // Offsets into the executable, for a symbolizer.
  void write_sites() const {
    std::string text;
    for (const uint64_t site : sites_) text += fmt::format("{:#x}\n", site);
    write_atomically(options_.sites, text);
  }

  // Writes the program with the schedule that violated, and replays it.
  std::string hand_over(const ReplayInput& input, const std::string& subject, const std::string& flavour,
                        const Violation& violation, const ScheduleRecord& record) {
    ReplayInput found;
    found.form = Form::kText;
    found.may_have_dead_failures = true;
    found.program = input.program;
    set_schedule(found.program, {record.events, record.count});
    found.program.header = {.flavour = flavour, .mode = "schedule", .subject = subject, .expect = {}};
    found.file = (ensure_dir(explored_dir()) / fmt::format("{}.ops", fs::path(input.file).stem().string())).string();
    found.program.header.expect = dedup_token(violation);
    // The replaying processes read the file.
    write_atomically(found.file, print_text(found.program));
    ReplayRunner runner(subject, flavour, Mode::kSchedule);
    const ReplayVerdict verdict = runner.run(found, kReplays);
    // The search looks at some things at the end only; the replay says where it went wrong.
    if (verdict.violation) {
      found.program.header.expect = dedup_token(verdict.violation);
      found.program = runner.that_came(found, verdict);
      write_atomically(found.file, print_text(found.program));
      fmt::print(global_.human(), "{}\n{}: {} of {} runs\n", replay_report(found, runner, verdict, global_.seed),
                 found.file, verdict.times_seen, verdict.times_run);
    } else {
      fmt::print(global_.human(), "VIOLATION {}: {}\n{}: seen once, not again in {} fresh processes{}\n",
                 name(violation.oracle), violation.sentence, found.file, verdict.times_run,
                 record.overflowed ? "; the schedule is too long to be kept whole" : "");
    }
    return found.file;
  }

  const ExploreOptions& options_;
  const GlobalOptions& global_;
  ExploreLimits limits_;
  std::vector<ReplayInput> inputs_;
  std::set<uint64_t> sites_;
};

}  // namespace

SubcommandRun add_explore(CLI::App& app) {
  auto options = std::make_shared<ExploreOptions>();
  app.description("Run programs of several threads under many schedules");
  app.add_option("FILE", options->files, "Programs")->required();
  app.add_option("--strategy", options->strategy, "dfs (all schedules within the bound), pct or random")
      ->check(CLI::IsMember({"dfs", "pct", "random"}));
  auto* const bound =
      app.add_option("--bound", options->bound, "dfs: preemptions in each schedule (2); pct: depth of a bug (3)")
          ->check(CLI::Range(uint64_t{0}, uint64_t{1000}));
  app.add_flag("--unbounded", options->unbounded, "dfs: as many preemptions as there are places")->excludes(bound);
  app.add_option("--older", options->older, "dfs: loads of older values and failed weak exchanges in each schedule (1)")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1000}));
  app.add_option("--runs", options->runs, "Schedules at most (dfs 2,000,000; pct and random 10,000)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1000000000}));
  app.add_option("--places", options->sites,
                 "Output: where in the executable accesses were made at which another thread could go on");
  return [options, bound](const GlobalOptions& global) {
    options->bound_given = bound->count() > 0;
    return Explore(*options, global).run();
  };
}

}  // namespace assay
