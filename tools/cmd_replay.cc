// assay replay FILE…: runs each program on each subject in a process of its own and prints the verdict of each.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "harness/op/text.h"
#include "harness/report/violation_report.h"
#include "tools/atomic_file.h"
#include "tools/debugger.h"
#include "tools/replay_report.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

struct ReplayOptions {
  std::vector<std::string> files;
  uint64_t repeat = 1;
  bool gdb = false;
  bool steps = false;
  std::string texts;  // a folder, or ""
};

// One file on one subject.
struct Job {
  const ReplayInput* input;
  ReplayRunner* runner;
};

// An option beats a header line, a header line beats the default.
std::string chosen(const std::string& option, const std::optional<std::string>& header, std::string_view otherwise) {
  if (!option.empty()) return option;
  return header ? *header : std::string(otherwise);
}

// The parser has refused unknown ones.
Mode mode_of(const ReplayInput& input, const GlobalOptions& global) {
  const Mode mode = *find_mode(chosen(global.mode, input.program.header.mode, "sequential"));
  if (input.form == Form::kTrace && mode != Mode::kSequential) {
    throw InputError{fmt::format("{}: a trace runs in mode sequential; cut it with ./assay import", input.file)};
  }
  return mode;
}

// What the header's `expect:` makes of a verdict: "" when it is met, or says nothing.
std::string unmet_expectation(const ReplayInput& input, const ReplayVerdict& verdict) {
  if (!input.program.header.expect) return "";
  const std::string seen = verdict.token.empty() ? "clean" : verdict.token;
  if (seen == *input.program.header.expect) return "";
  return fmt::format("{}: expected {}, saw {}", input.file, *input.program.header.expect, seen);
}

class Replay {
 public:
  Replay(const ReplayOptions& options, const GlobalOptions& global) : options_(options), global_(global) {
    for (const std::string& file : options.files) {
      inputs_.push_back(load_replay_input(file));
      inputs_.back().may_have_dead_failures = !options.texts.empty();
      mode_of(inputs_.back(), global);
    }
    for (const ReplayInput& input : inputs_) {
      std::vector<std::string> subjects = global.subjects;
      if (subjects.empty()) subjects = {chosen("", input.program.header.subject, "ximalloc")};
      for (const std::string& subject : subjects) jobs_.push_back({&input, &runner_for(input, subject)});
    }
    if (!options.texts.empty()) name_texts();
  }

  SubcommandOutcome run() {
    nlohmann::json files = nlohmann::json::array();
    uint64_t violations = 0;
    for (const Job& job : jobs_) {
      const ReplayVerdict verdict = job.runner->run(*job.input, options_.repeat, options_.steps);
      const std::string unmet = unmet_expectation(*job.input, verdict);
      const bool bad = verdict.violation || !unmet.empty();
      if (bad) ++violations;
      print(job, verdict, unmet);
      files.push_back(as_json(job, verdict, bad));
      if (!options_.texts.empty()) texts_.at(text_path(job)) = print_text(job.runner->that_came(*job.input, verdict));
      if (options_.gdb) debug(*job.input, job.runner->command(), verdict);
    }
    for (const auto& [path, text] : texts_) write_atomically(path, text);
    SubcommandOutcome outcome;
    outcome.status = violations == 0 ? ExitStatus::kClean : ExitStatus::kViolation;
    outcome.message = violations == 0 ? fmt::format("{} clean", jobs_.size())
                                      : fmt::format("{} of {} violated", violations, jobs_.size());
    outcome.fields["files"] = std::move(files);
    outcome.fields["mode"] = name(jobs_.front().runner->mode());
    return outcome;
  }

 private:
  std::string text_path(const Job& job) const {
    return fs::path(options_.texts) / (fs::path(job.input->file).stem().string() + ".ops");
  }

  // Everything that keeps a text from being written is found before anything runs.
  void name_texts() {
    for (const Job& job : jobs_) {
      if (job.input->form == Form::kTrace) {
        throw InputError{
            fmt::format("{}: a trace is too long for a text; cut it with ./assay import", job.input->file)};
      }
      if (!texts_.try_emplace(text_path(job)).second) {
        throw InputError{fmt::format("--texts: two programs would become {}", text_path(job))};
      }
    }
    std::error_code error;
    fs::create_directories(options_.texts, error);
    if (error) throw InputError{fmt::format("--texts {}: {}", options_.texts, error.message())};
  }

  ReplayRunner& runner_for(const ReplayInput& input, const std::string& subject) {
    const std::string flavour = chosen(global_.flavour, input.program.header.flavour, ASSAY_FLAVOUR);
    const Mode mode = mode_of(input, global_);
    auto& runner = runners_[{subject, flavour, mode}];
    if (!runner) runner = std::make_unique<ReplayRunner>(subject, flavour, mode);
    return *runner;
  }

  void print(const Job& job, const ReplayVerdict& verdict, const std::string& unmet) const {
    std::FILE* out = global_.human();
    const std::string hash = fmt::format("{:016x}", verdict.trace_hashes.front());
    if (verdict.violation) {
      fmt::print(out, "{}\n", replay_report(*job.input, *job.runner, verdict, global_.seed));
      fmt::print(out, "{} on {}: {} of {} runs\n", job.input->file, job.runner->subject(), verdict.times_seen,
                 verdict.times_run);
    } else {
      const std::string failed =
          verdict.failed_os_calls == 0 ? "" : fmt::format(", {} system calls failed", verdict.failed_os_calls);
      fmt::print(out, "{} on {}: clean, {} operations, {} skipped{}, trace {}\n", job.input->file,
                 job.runner->subject(), verdict.operations, verdict.skipped, failed, hash);
    }
    if (options_.repeat > 1) {
      std::map<uint64_t, uint64_t> hashes;
      for (const uint64_t trace_hash : verdict.trace_hashes) ++hashes[trace_hash];
      for (const auto& [trace_hash, times] : hashes) fmt::print(out, "  trace {:016x}: {} times\n", trace_hash, times);
    }
    if (!unmet.empty()) fmt::print(out, "{}\n", unmet);
    std::fflush(out);
  }

  static nlohmann::json as_json(const Job& job, const ReplayVerdict& verdict, bool bad) {
    const Violation& violation = verdict.violation;
    nlohmann::json entry;
    entry["file"] = job.input->file;
    entry["subject"] = job.runner->subject();
    entry["verdict"] = bad ? "violation" : "clean";
    entry["operations"] = verdict.operations;
    entry["skipped"] = verdict.skipped;
    entry["oracle"] = violation ? std::string(name(violation.oracle)) : "";
    entry["operation_index"] = nullptr;
    if (violation && violation.line != kNoOperation) entry["operation_index"] = violation.line;
    entry["token"] = verdict.token;
    entry["trace_hash"] = fmt::format("{:016x}", verdict.trace_hashes.front());
    entry["times_seen"] = verdict.times_seen;
    entry["times_run"] = verdict.times_run;
    return entry;
  }

  const ReplayOptions& options_;
  const GlobalOptions& global_;
  std::vector<ReplayInput> inputs_;
  std::map<std::tuple<std::string, std::string, Mode>, std::unique_ptr<ReplayRunner>> runners_;
  std::vector<Job> jobs_;
  std::map<std::string, std::string> texts_;  // by path
};

}  // namespace

SubcommandRun add_replay(CLI::App& app) {
  auto options = std::make_shared<ReplayOptions>();
  app.description("Run programs (bytes, text, traces), each in a process of its own, and print the verdict of each");
  app.add_option("FILE", options->files, "Programs")->required();
  app.add_option("--repeat", options->repeat, "Run each so often, in a fresh process each time")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1000000}));
  app.add_flag("--gdb", options->gdb, "Then run it again under gdb, stopped before the operation that went wrong");
  app.add_option("--texts", options->texts,
                 "Folder to write each program to as text, without the failures whose call never came");
  app.add_flag("--steps", options->steps, "Print each operation to stderr before it runs");
  return [options](const GlobalOptions& global) { return Replay(*options, global).run(); };
}

}  // namespace assay
