// assay generate NAME: the program of a named workload, as text.
#include <fmt/format.h>

#include "harness/op/text.h"
#include "harness/op/workloads/workload.h"
#include "tools/atomic_file.h"
#include "tools/output_path.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

struct GenerateOptions {
  std::string name, output;
  uint32_t threads = 0;  // 0: as is usual for the workload
  uint64_t rounds = 0;
};

std::string names() {
  std::string list;
  for (const Workload& workload : all_workloads()) list += fmt::format("{}{}", list.empty() ? "" : " ", workload.name);
  return list;
}

std::string description() {
  std::string text = "Print the program of a named workload as text:\n";
  for (const Workload& workload : all_workloads()) {
    text += fmt::format("\n  {:16} {} (--threads {} --rounds {})", workload.name, workload.purpose,
                        workload.usual.threads, workload.usual.rounds);
  }
  return text;
}

const Workload& workload_named(const std::string& name) {
  if (const Workload* workload = find_workload(name)) return *workload;
  throw InputError{fmt::format("unknown workload '{}' (here: {})", name, names())};
}

SubcommandOutcome print_workload(const GenerateOptions& options, const GlobalOptions& global) {
  const Workload& workload = workload_named(options.name);
  if (!options.output.empty()) refuse_unwritable(options.output);
  WorkloadOptions size = workload.usual;
  if (options.threads != 0) size.threads = options.threads;
  if (options.rounds != 0) size.rounds = options.rounds;
  size.seed = global.seed;
  Program program = workload.make(size);
  if (!global.mode.empty()) program.header.mode = global.mode;
  std::string text = print_text(program);
  // Whoever reads it can make it again.
  text.insert(text.find('\n') + 1, fmt::format("# ./assay generate {} --threads {} --rounds {} --seed {}\n",
                                               workload.name, size.threads, size.rounds, size.seed));
  if (!options.output.empty()) write_atomically(options.output, text);
  if (options.output.empty() && !global.json) fmt::print("{}", text);
  SubcommandOutcome outcome;
  outcome.message = fmt::format("{}: {} operations in {} lines, {} threads besides t0", workload.name,
                                program.operations(), program.lines.size(), size.threads);
  outcome.fields["output"] = options.output.empty() ? text : options.output;
  if (!options.output.empty()) fmt::print(global.human(), "{}\n", outcome.message);
  return outcome;
}

}  // namespace

SubcommandRun add_generate(CLI::App& app) {
  auto options = std::make_shared<GenerateOptions>();
  app.description(description());
  app.add_option("NAME", options->name, "One of the above")->required();
  app.add_option("--threads", options->threads, "Threads besides t0")
      ->check(CLI::Range(uint32_t{1}, kMaxWorkloadThreads));
  app.add_option("--rounds", options->rounds, "How long it goes on")
      ->check(CLI::Range(uint64_t{1}, kMaxWorkloadRounds));
  app.add_option("-o,--output", options->output, "File to write; without it, the text goes to stdout");
  return [options](const GlobalOptions& global) { return print_workload(*options, global); };
}

}  // namespace assay
