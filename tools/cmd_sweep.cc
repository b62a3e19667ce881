// assay sweep FILE…: fails every system call of each program in turn. A point that shows a violation is written out as
// a program with its failure, which replays.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "harness/exec/run.h"
#include "harness/exec/worker_command.h"
#include "harness/op/text.h"
#include "harness/report/child.h"
#include "harness/report/violation_report.h"
#include "harness/report/workdir.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"
#include "harness/sweep/sweep.h"
#include "tools/atomic_file.h"
#include "tools/minimise/program_runner.h"
#include "tools/replay_report.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

// Of one file and way, so many finds are written out and shown; all are counted.
constexpr size_t kFindsKept = 5;

struct SweepOptions {
  std::vector<std::string> files;
  std::string how = "both";
  bool sites = false;
};

std::string_view name_of(SweepHow how) {
  return how == SweepHow::kOnce ? "once" : "persistent";
}

std::string sentence(const SweepCounts& counts, uint64_t violations) {
  return fmt::format("{} points, {} fired, {} NULL with ENOMEM, {} unaffected, {} violations", counts.points,
                     counts.fired, counts.null_enomem, counts.unaffected, violations);
}

// What is swept, in processes that may die of it.
class SweptSubject {
 public:
  virtual ~SweptSubject() = default;
  virtual RunResult run(const Program& program, OsCallLog* log, CameFailures* came) = 0;
  // Whether the same program always makes the same calls.
  virtual bool repeats() const = 0;
  virtual std::string name() const = 0;
  virtual std::string version() const = 0;
};

// By its own seam, in forked children of this process.
class OneWithASeam final : public SweptSubject {
 public:
  explicit OneWithASeam(std::unique_ptr<Subject> subject) : subject_(std::move(subject)) {
    // Children inherit what a warm-up leaves, and need not measure it.
    const Program empty;
    ProgramSteps nothing(empty);
    static_cast<void>(run_sequential(nothing, *subject_, {}));
  }
  RunResult run(const Program& program, OsCallLog* log, CameFailures* came) override {
    ProgramSteps steps(program);
    RunOptions options;
    options.os_calls = log;
    options.came_failures = came;
    return run_in_child(steps, *subject_, options);
  }
  bool repeats() const override { return true; }
  std::string name() const override { return subject_->name(); }
  std::string version() const override { return subject_->version(); }

 private:
  std::unique_ptr<Subject> subject_;
};

// Anyone's, by the kernel's trap. Each run has a new process, in which no block but the subject's is the subject's.
class OneThatIsTrapped final : public SweptSubject {
 public:
  explicit OneThatIsTrapped(const std::string& name)
      : name_(name), runner_(worker_apart(name), {.check_growth = false, .logs_os_calls = true}) {
    runner_.start();
    version_ = runner_.subject_version();
  }
  RunResult run(const Program& program, OsCallLog* log, CameFailures* came) override {
    const RunResult result = runner_.run(program);
    if (came != nullptr) {
      came->clear();
      for (const CameFailure& one : runner_.came_failures().all()) {
        came->note(one.line == CameFailure::kOfEnd ? kNoOperation : one.line, one.index);
      }
    }
    if (log != nullptr) {
      const OsCallLog& noted = runner_.os_calls();
      log->count = std::min(noted.count, noted.capacity);
      std::copy_n(noted.entries, log->count, log->entries);
      if (noted.count > noted.capacity) log->count = log->capacity + 1;
    }
    return result;
  }
  bool repeats() const override { return false; }
  std::string name() const override { return name_; }
  std::string version() const override { return version_; }

 private:
  std::string name_, version_;
  ProgramRunner runner_;
};

std::unique_ptr<SweptSubject> sweepable(const std::string& name) {
  if (is_subject_list(name)) throw InputError{fmt::format("--subject {}: sweep takes one subject at a time", name)};
  if (parse_subject_spec(name).subject != "ximalloc") return std::make_unique<OneThatIsTrapped>(name);
  std::unique_ptr<Subject> subject = open_subject(name);
  if (subject->instruments().watch_os == nullptr) {
    throw InputError{fmt::format("subject '{}' has no seam in flavour {}", name, ASSAY_FLAVOUR)};
  }
  return std::make_unique<OneWithASeam>(std::move(subject));
}

class SweepCommand {
 public:
  SweepCommand(const SweepOptions& options, const GlobalOptions& global) : options_(options), global_(global) {
    if (!global.mode.empty() && global.mode != "sequential") {
      throw InputError{fmt::format("--mode {}: sweep runs in mode sequential", global.mode)};
    }
    for (const std::string& file : options.files) {
      inputs_.push_back(load_replay_input(file));
      if (inputs_.back().form == Form::kTrace) {
        throw InputError{fmt::format("{}: a trace is too long to sweep; cut it with ./assay import", file)};
      }
    }
    std::vector<std::string> names = global.subjects;
    if (names.empty()) names = {"ximalloc"};
    for (const std::string& subject : names) subjects_.push_back(sweepable(subject));
  }

  SubcommandOutcome run() {
    const auto start = std::chrono::steady_clock::now();
    for (const auto& subject : subjects_) {
      for (const ReplayInput& input : inputs_) {
        for (const SweepHow how : {SweepHow::kOnce, SweepHow::kPersistent}) {
          if (options_.how == "both" || options_.how == name_of(how)) sweep_one(input, *subject, how);
        }
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    SubcommandOutcome outcome;
    outcome.status = violations_ == 0 ? ExitStatus::kClean : ExitStatus::kViolation;
    outcome.message = fmt::format("{} ({:.0f}/s)", sentence(all_, violations_),
                                  static_cast<double>(all_.points) / std::max(seconds, 0.001));
    if (options_.sites) print_sites();
    fmt::print(global_.human(), "{}\n", outcome.message);
    outcome.fields["points"] = all_.points;
    outcome.fields["fired"] = all_.fired;
    outcome.fields["violations"] = violations_;
    outcome.fields["files"] = std::move(files_);
    outcome.fields["sites"] = sites_as_json();
    return outcome;
  }

 private:
  void sweep_one(const ReplayInput& input, SweptSubject& subject, SweepHow how) {
    const RunForSweep run = [&subject](const Program& program, OsCallLog* log, CameFailures* came) {
      return subject.run(program, log, came);
    };
    const SweepResult result = sweep(input.program, how, run, subject.repeats());
    // A program that is faulty by itself has a find and no point.
    all_ += result.all;
    violations_ += result.finds.size();
    for (const SweptSite& site : result.sites) add_to_site(sites_[how == SweepHow::kOnce ? 0 : 1], site);
    fmt::print(global_.human(), "{} on {}, {}: {}\n", input.file, subject.name(), name_of(how),
               sentence(result.all, result.finds.size()));
    std::string first_output;
    for (size_t i = 0; i < std::min(result.finds.size(), kFindsKept); ++i) {
      const std::string output = write_find(input, subject, how, result.finds[i], i);
      if (i == 0) first_output = output;
    }
    std::fflush(global_.human());
    files_.push_back({{"file", input.file},
                      {"subject", subject.name()},
                      {"how", name_of(how)},
                      {"points", result.all.points},
                      {"fired", result.all.fired},
                      {"null_enomem", result.all.null_enomem},
                      {"unaffected", result.all.unaffected},
                      {"violations", result.finds.size()},
                      {"output", first_output}});
  }

  void print_sites() const {
    for (const SweepHow how : {SweepHow::kOnce, SweepHow::kPersistent}) {
      for (const SweptSite& site : sites_[how == SweepHow::kOnce ? 0 : 1]) {
        fmt::print(global_.human(), "{}:{} {}, {}, {}: {}\n", site.site.file, site.site.line, site.site.function,
                   name(site.call), name_of(how), sentence(site.counts, site.counts.violations));
      }
    }
  }

  nlohmann::json sites_as_json() const {
    nlohmann::json rows = nlohmann::json::array();
    for (const SweepHow how : {SweepHow::kOnce, SweepHow::kPersistent}) {
      for (const SweptSite& site : sites_[how == SweepHow::kOnce ? 0 : 1]) {
        rows.push_back({{"source_file", site.site.file},
                        {"line", site.site.line},
                        {"function", site.site.function},
                        {"call", name(site.call)},
                        {"how", name_of(how)},
                        {"points", site.counts.points},
                        {"fired", site.counts.fired},
                        {"null_enomem", site.counts.null_enomem},
                        {"unaffected", site.counts.unaffected},
                        {"violations", site.counts.violations}});
      }
    }
    return rows;
  }

  std::string write_find(const ReplayInput& input, const SweptSubject& subject, SweepHow how, const SweepFind& find,
                         size_t index) const {
    Program program = find.program;
    program.header = {.flavour = ASSAY_FLAVOUR,
                      .mode = "sequential",
                      .subject = subject.name(),
                      .expect = dedup_token(find.violation)};
    const fs::path path = ensure_dir(swept_dir()) /
                          fmt::format("{}-{}-{}.ops", fs::path(input.file).stem().string(), name_of(how), index);
    write_atomically(path.string(), print_text(program));
    ReportContext context;
    context.subject = subject.name();
    context.subject_version = subject.version();
    context.flavour = ASSAY_FLAVOUR;
    context.replay_command = "./assay replay " + shell_quoted(path.string());
    fmt::print(global_.human(), "{}\n", violation_text(program, find.violation, context));
    return path.string();
  }

  const SweepOptions& options_;
  const GlobalOptions& global_;
  std::vector<ReplayInput> inputs_;
  std::vector<std::unique_ptr<SweptSubject>> subjects_;
  nlohmann::json files_ = nlohmann::json::array();
  SweepCounts all_;
  uint64_t violations_ = 0;
  std::vector<SweptSite> sites_[2];  // once, persistent
};

}  // namespace

SubcommandRun add_sweep(CLI::App& app) {
  auto options = std::make_shared<SweepOptions>();
  app.description("Fail every system call of each program in turn");
  app.add_option("FILE", options->files, "Programs, as bytes or text")->required();
  app.add_option("--how", options->how, "once, persistent, or both (default)")
      ->check(CLI::IsMember({"once", "persistent", "both"}));
  app.add_flag("--sites", options->sites, "Also say how often each place of the source that makes a call was hit");
  return [options](const GlobalOptions& global) { return SweepCommand(*options, global).run(); };
}

}  // namespace assay
