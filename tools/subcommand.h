// What each subcommand of `assay` shares: global options, the one JSON object, exit statuses. A subcommand is one file
// (tools/cmd_<name>.cc) that adds its options to the argument parser and returns what to run; tools/CMakeLists.txt
// lists them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace assay {

enum class ExitStatus : int { kClean = 0, kViolation = 1, kBadInput = 2, kHarnessBug = 3 };

// Options that mean the same in every subcommand; empty means "not given" (a header line, then the default, decides).
struct GlobalOptions {
  bool json = false;
  std::string flavour;
  std::string mode;
  std::uint64_t seed = 0;
  bool seed_given = false;
  std::vector<std::string> subjects;

  // Where text for people goes: stdout, or stderr when stdout is for the one JSON object.
  std::FILE* human() const { return json ? stderr : stdout; }
};

// The result of a subcommand. `fields` holds the keys that docs and design give for it, beside the common ones.
struct SubcommandOutcome {
  ExitStatus status = ExitStatus::kClean;
  std::string message;
  nlohmann::json fields = nlohmann::json::object();
  std::optional<int> exit_status =
      std::nullopt;  // of a program that was run for the user: passed on instead of `status`
};

// Adds its options to `app`, which is the subcommand's own (set its description; --help, --json, --flavour, --mode,
// --seed and --subject are there already), and returns the function that does the work. That throws InputError for bad
// input. Human output goes to global.human(); with --json, main prints the one object on stdout.
using SubcommandRun = std::function<SubcommandOutcome(const GlobalOptions&)>;

// Refuses what the parser would bend into a number: signs, other text behind the digits, values above 2^64-1.
CLI::Validator whole_number();

SubcommandRun add_replay(CLI::App& app);
SubcommandRun add_explore(CLI::App& app);
SubcommandRun add_minimize(CLI::App& app);
SubcommandRun add_export_c(CLI::App& app);
SubcommandRun add_sweep(CLI::App& app);
SubcommandRun add_diff(CLI::App& app);
SubcommandRun add_show(CLI::App& app);
SubcommandRun add_encode(CLI::App& app);
SubcommandRun add_generate(CLI::App& app);
SubcommandRun add_fuzz(CLI::App& app);
SubcommandRun add_record(CLI::App& app);
SubcommandRun add_import(CLI::App& app);
SubcommandRun add_mutants(CLI::App& app);
SubcommandRun add_subjects(CLI::App& app);
SubcommandRun add_bench(CLI::App& app);

}  // namespace assay
