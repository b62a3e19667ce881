// assay diff FILE… --subjects A,B,…: runs each program on all subjects and shows the first step at which they answer
// differently and the ledger does not permit it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "fuzz/differential/lockstep.h"
#include "harness/exec/worker_command.h"
#include "harness/report/violation_report.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"
#include "tools/atomic_file.h"
#include "tools/diff/conformance_table.h"
#include "tools/output_path.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"
#include "tools/token_file.h"

namespace assay {
namespace {

struct DiffOptions {
  std::vector<std::string> files;
  std::string subjects;
  std::string known_file;
  bool keep_going = false;
  bool table = false;
  std::string output;
};

std::string own_executable(const GlobalOptions& global) {
  if (global.flavour.empty() || global.flavour == ASSAY_FLAVOUR) return "/proc/self/exe";
  const std::string sibling = sibling_executable(global.flavour, "assay");
  if (sibling.empty()) {
    throw InputError{fmt::format("flavour '{0}' has not been built here: run ./assay build {0}", global.flavour)};
  }
  return sibling;
}

constexpr const char* kUsualSubjects = "ximalloc,mimalloc,jemalloc";

class DiffCommand {
 public:
  DiffCommand(const DiffOptions& options, const GlobalOptions& global) : options_(options), global_(global) {
    if (!global.mode.empty() && global.mode != "sequential") {
      throw InputError{fmt::format("--mode {}: diff runs in mode sequential", global.mode)};
    }
    if (!global.subjects.empty()) throw InputError{"diff takes --subjects A,B,… and no --subject"};
    for (const std::string& file : options.files) {
      inputs_.push_back(load_replay_input(file));
      if (inputs_.back().form == Form::kTrace) {
        throw InputError{fmt::format("{}: a trace is too long to compare; cut it with ./assay import", file)};
      }
    }
    known_tokens_ = read_tokens(options.known_file);
    subjects_ = open_in_workers(options.subjects.empty() ? kUsualSubjects : options.subjects, own_executable(global));
  }

  SubcommandOutcome run() {
    for (const ReplayInput& input : inputs_) compare_one(input);
    SubcommandOutcome outcome;
    outcome.status = counts_.divergences == 0 ? ExitStatus::kClean : ExitStatus::kViolation;
    outcome.message =
        fmt::format("{} programs on {} subjects: {} divergences, {} permitted differences, {} known bugs",
                    inputs_.size(), subjects_->names().size(), counts_.divergences, counts_.permitted, counts_.known);
    for (const auto& [id, times] : settled_) fmt::print(global_.human(), "  {:<28} {} times\n", id, times);
    fmt::print(global_.human(), "{}\n", outcome.message);
    outcome.fields["divergences"] = counts_.divergences;
    outcome.fields["permitted"] = counts_.permitted;
    outcome.fields["known"] = counts_.known;
    outcome.fields["files"] = std::move(files_);
    return outcome;
  }

 private:
  void compare_one(const ReplayInput& input) {
    WorkRequest request;
    request.file = input.file;
    const DifferenceJudge tolerates = [this](const Difference& difference) {
      return options_.keep_going || known_tokens_.count(token_of(difference)) != 0;
    };
    if (inputs_.size() > 1) {
      // A process for each program and subject takes longer than most programs. What is found where other programs ran
      // before is not believed: the program then runs again in fresh ones.
      request.keeps_process = true;
      const ComparisonResult first = subjects_->compare(request, input.program, tolerates);
      if (first.permitted.empty() && !first.divergence) return;
      request.keeps_process = false;
    }
    const ComparisonResult result = subjects_->compare(request, input.program, tolerates);
    for (const Difference& difference : result.permitted) {
      const LedgerRow* const row = subjects_->ledger().settles(difference, subjects_->names());
      if (row != nullptr) {
        ++(row->known_bug() ? counts_.known : counts_.permitted);
        ++settled_[std::string(row->id)];
      } else if (known_tokens_.count(token_of(difference)) != 0) {
        ++counts_.known;
        ++settled_[token_of(difference)];
      } else {
        report(input, difference);
      }
    }
    if (result.divergence) report(input, *result.divergence);
  }

  std::string token_of(const Difference& difference) const { return dedup_token(subjects_->violation_of(difference)); }

  void report(const ReplayInput& input, const Difference& difference) {
    ++counts_.divergences;
    const std::vector<LaneName>& names = subjects_->names();
    nlohmann::json outcomes = nlohmann::json::object();
    std::vector<std::string> lines;
    for (size_t lane = 0; lane < names.size(); ++lane) {
      const LaneAnswer& answer = difference.answers[lane];
      outcomes[names[lane].subject] = text_of(answer);
      lines.push_back(fmt::format("  {:<24} {}{}", names[lane].subject, text_of(answer),
                                  answer.unlawful ? " (against the standard)" : ""));
      if (difference.broken_by == lane) lines.back() += fmt::format(": {}", difference.violation.sentence);
    }
    const Step& step = difference.step;
    const bool at_end = step.line == kNoOperation;
    const std::string where = at_end             ? "the end"
                              : step.member == 0 ? fmt::format("op {}", step.line)
                                                 : fmt::format("op {}[{}]", step.line, step.member);
    const std::string_view call = at_end ? "end" : info(step.code).name;
    fmt::print(global_.human(), "DIVERGENCE {}: {}, {} ({})\n{}\nDEDUP_TOKEN: {}\n", input.file, where, call,
               clause_of(step.code), fmt::join(lines, "\n"), token_of(difference));
    files_.push_back({{"file", input.file},
                      {"operation_index", at_end ? nlohmann::json() : nlohmann::json(step.line)},
                      {"clause", clause_of(step.code)},
                      {"outcomes", std::move(outcomes)}});
  }

  struct Counts {
    uint64_t divergences = 0, permitted = 0, known = 0;
  };

  const DiffOptions& options_;
  const GlobalOptions& global_;
  std::vector<ReplayInput> inputs_;
  std::unique_ptr<Lockstep> subjects_;
  std::set<std::string> known_tokens_;
  nlohmann::json files_ = nlohmann::json::array();
  std::map<std::string, uint64_t> settled_;
  Counts counts_;
};

SubcommandOutcome show_table(const DiffOptions& options, const GlobalOptions& global) {
  if (!options.files.empty()) throw InputError{"--table asks its own programs, and takes no file"};
  if (!options.output.empty()) refuse_unwritable(options.output);
  std::vector<std::string> subjects;
  if (options.subjects.empty()) {
    for (const SubjectListing& listing : list_subjects()) {
      if (listing.available) subjects.push_back(listing.name);
    }
  } else {
    subjects = split_subjects(options.subjects);
  }
  const ConformanceTable table = ask_all(subjects, own_executable(global));
  const std::string page = as_markdown(table);
  SubcommandOutcome outcome;
  if (options.output.empty()) {
    fmt::print(global.human(), "{}", page);
  } else {
    write_atomically(options.output, page);
  }
  outcome.message = fmt::format("{} clauses on {} subjects", table.rows.size(), subjects.size());
  outcome.fields["divergences"] = outcome.fields["permitted"] = outcome.fields["known"] = 0;
  outcome.fields["files"] = nlohmann::json::array();
  outcome.fields["table"] = as_json(table);
  return outcome;
}

SubcommandOutcome diff(const DiffOptions& options, const GlobalOptions& global) {
  if (options.table) return show_table(options, global);
  if (!options.output.empty()) throw InputError{"-o is for --table"};
  if (options.files.empty()) throw InputError{"diff: nothing given (files to compare, or --table)"};
  return DiffCommand(options, global).run();
}

}  // namespace

SubcommandRun add_diff(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  app.description("Compare what several subjects answer to the same programs");
  app.add_option("FILE", options->files, "Programs, as bytes or text");
  app.add_option("--subjects", options->subjects, "At least two, parted by commas; ximalloc,mimalloc,jemalloc");
  app.add_option("--known", options->known_file, "File of tokens, one a line, that are no divergence any more");
  app.add_flag("--keep-going", options->keep_going, "Show each divergence of a program, not only the first");
  app.add_flag("--table", options->table, "What each subject here answers to each clause of the standard");
  app.add_option("-o,--output", options->output, "File for the table");
  return [options](const GlobalOptions& global) { return diff(*options, global); };
}

}  // namespace assay
