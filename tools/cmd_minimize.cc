// assay minimize FILE: the shortest program with the same violation, as text.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "harness/op/text.h"
#include "tools/atomic_file.h"
#include "tools/minimise/artifact.h"
#include "tools/minimise/minimisation.h"
#include "tools/output_path.h"
#include "tools/replay_report.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

// What shows only now and then is given some chances.
constexpr uint64_t kTraceRuns = 5;

struct MinimizeOptions {
  std::string file, output;
  uint64_t seconds = 300;
  bool any = false;
};

// The comment says what it shows, for whoever opens the file.
std::string text_of(const Program& program, const Violation& violation) {
  std::string text = print_text(program);
  const size_t header = text.find('\n') + 1;
  return text.substr(0, header) + "# " + violation.sentence + "\n" + text.substr(header);
}

class Minimize {
 public:
  Minimize(const MinimizeOptions& options, const GlobalOptions& global) : options_(options), global_(global) {
    if (!options.output.empty()) refuse_unwritable(options.output);
  }

  SubcommandOutcome run() {
    const ReplayInput input = load_replay_input(options_.file);
    const Setting setting = setting_of(input, global_);
    ReplayRunner replay(setting.subject, setting.flavour, setting.mode, "/dev/null");
    const Showing original = original_showing(input, replay);
    outcome_.fields["operations_before"] = program_.operations();
    outcome_.fields["operations_after"] = program_.operations();
    outcome_.fields["token"] = original.token;
    outcome_.fields["output"] = "";
    if (original.seen == 0) {
      outcome_.message = fmt::format("{} no longer fails on {}: clean in {} of {} runs", options_.file, setting.subject,
                                     original.runs, original.runs);
      fmt::print(global_.human(), "{}\n", outcome_.message);
      return outcome_;
    }
    MinimisationOptions settings;
    settings.budget = std::chrono::seconds(options_.seconds);
    settings.progress = ::isatty(STDERR_FILENO) != 0 ? stderr : nullptr;
    settings.any = options_.any;
    Minimisation result = minimise_on(replay.command(), program_, original, settings);
    outcome_.fields["mode"] = name(setting.mode);
    result.program.header = {.flavour = setting.flavour,
                             .mode = std::string(name(setting.mode)),
                             .subject = setting.subject,
                             .expect = result.showing.token};
    hand_over(result);
    return outcome_;
  }

 private:
  // Also sets program_. A trace is run as it is once, to see how much of it is needed.
  Showing original_showing(const ReplayInput& input, ReplayRunner& replay) {
    const std::string expected = input.program.header.expect.value_or("");
    if (input.form == Form::kTrace) {
      ReplayVerdict verdict;
      Showing clean;
      while (verdict.token.empty() && clean.runs < kTraceRuns) {
        verdict = replay.run(input, 1);
        clean.runs++;
      }
      if (verdict.token.empty()) return clean;
      program_ = program_of(input, verdict.trace_process, verdict.violation.line);
      return observe(replay.command(), program_, verdict.token);
    }
    program_ = input.program;
    return observe(replay.command(), program_, expected);
  }

  void hand_over(const Minimisation& result) {
    const std::string text = text_of(result.program, result.showing.violation);
    if (!options_.output.empty()) write_atomically(options_.output, text);
    if (options_.output.empty() && !global_.json) fmt::print("{}", text);
    outcome_.status = ExitStatus::kClean;
    outcome_.message =
        fmt::format("{}: {} of {} operations left in {} lines, {} in {} of {} runs (before: {} of {}), {} tries{}",
                    options_.file, result.program.operations(), program_.operations(), result.program.lines.size(),
                    result.showing.token, result.showing.seen, result.showing.runs, result.original.seen,
                    result.original.runs, result.tries, result.stopped_early ? ", stopped by --seconds" : "");
    outcome_.fields["operations_after"] = result.program.operations();
    outcome_.fields["token"] = result.showing.token;
    outcome_.fields["output"] = options_.output.empty() ? text : options_.output;
    // Beside the program itself, when that goes to stdout.
    fmt::print(options_.output.empty() ? stderr : global_.human(), "{}\n", outcome_.message);
  }

  const MinimizeOptions& options_;
  const GlobalOptions& global_;
  Program program_;
  SubcommandOutcome outcome_;
};

}  // namespace

SubcommandRun add_minimize(CLI::App& app) {
  auto options = std::make_shared<MinimizeOptions>();
  app.description("Find the shortest program that shows the same violation");
  app.add_option("FILE", options->file, "Program as bytes or text, or a trace")->required();
  app.add_option("-o,--output", options->output, "File to write; without it, the text goes to stdout");
  app.add_flag("--any", options->any, "Whatever violation is left will do: the plainest of all that it shows");
  app.add_option("--seconds", options->seconds, "Stop with the best program after so long")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1000000}));
  return [options](const GlobalOptions& global) { return Minimize(*options, global).run(); };
}

}  // namespace assay
