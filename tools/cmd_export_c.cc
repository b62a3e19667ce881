// assay export-c FILE: a standalone C file on the plain malloc API that fails the same way.
#include <fmt/format.h>

#include <filesystem>

#include "harness/report/export_c.h"
#include "harness/subject/registry.h"
#include "tools/atomic_file.h"
#include "tools/minimise/artifact.h"
#include "tools/output_path.h"
#include "tools/replay_report.h"
#include "tools/replay_runner.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

struct ExportOptions {
  std::string file, output;
};

// What shows only now and then is given some chances.
constexpr uint64_t kRuns = 5;

bool is_ximalloc(const std::string& subject) {
  return subject == "ximalloc" || subject.starts_with("ximalloc@");
}

// The shared object to be preloaded, and what its functions' names begin with.
struct Library {
  std::string file, prefix;
};

Library library_of(const std::string& subject) {
  if (is_ximalloc(subject)) return {.file = "build/release/lib/libximalloc.so", .prefix = ""};
  const std::string file = subject_file(subject);
  const bool has_prefix = !file.empty() && subject.starts_with(file + ":");
  return {.file = file, .prefix = has_prefix ? subject.substr(file.size() + 1) : ""};
}

ReplayVerdict first_violation(ReplayRunner& runner, const ReplayInput& input) {
  ReplayVerdict verdict;
  for (uint64_t i = 0; i < kRuns && verdict.token.empty(); i++) verdict = runner.run(input, 1);
  return verdict;
}

SubcommandOutcome export_file(const ExportOptions& options, const GlobalOptions& global) {
  if (!options.output.empty()) refuse_unwritable(options.output);
  const ReplayInput input = load_replay_input(options.file);
  const Setting setting = setting_of(input, global);
  if (setting.mode != Mode::kSequential) {
    throw InputError{fmt::format("{}: mode '{}': only what shows in mode sequential can be shown by a C file",
                                 options.file, name(setting.mode))};
  }
  ExportContext context;
  const Library library = library_of(setting.subject);
  context.preload = library.file;
  context.prefix = library.prefix;
  context.has_own_seam = is_ximalloc(setting.subject);
  context.file_name = options.output.empty() ? "program.c" : options.output;
  ReplayRunner runner(setting.subject, setting.flavour, setting.mode, "/dev/null");
  const ReplayVerdict verdict = first_violation(runner, input);
  SubcommandOutcome outcome;
  outcome.fields["output"] = "";
  if (verdict.token.empty()) {
    outcome.message = fmt::format("{} no longer fails on {}: clean in {} of {} runs, nothing to export", options.file,
                                  setting.subject, kRuns, kRuns);
    fmt::print(global.human(), "{}\n", outcome.message);
    return outcome;
  }
  context.explanation = replay_report(input, runner, verdict, global.seed);
  context.oracle = verdict.violation.oracle;
  const Program program = program_of(input, verdict.trace_process, verdict.violation.line);
  const std::string text = export_c(program, context);
  if (!options.output.empty()) write_atomically(options.output, text);
  if (options.output.empty() && !global.json) fmt::print("{}", text);
  outcome.fields["output"] = options.output.empty() ? text : options.output;
  outcome.message = fmt::format("{}: {} operations as C, shows {}", options.file, program.operations(), verdict.token);
  fmt::print(options.output.empty() ? stderr : global.human(), "{}\n", outcome.message);
  return outcome;
}

}  // namespace

SubcommandRun add_export_c(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  app.description("Write a standalone C file on the plain malloc API that fails the same way");
  app.add_option("FILE", options->file, "Program as bytes or text, or a trace")->required();
  app.add_option("-o,--output", options->output, "File to write; without it, the C goes to stdout");
  return [options](const GlobalOptions& global) { return export_file(*options, global); };
}

}  // namespace assay
