// What each subcommand of `assay` shares: global options, the one JSON object, exit statuses. A subcommand is one file
// (tools/cmd_<name>.cc) that registers itself with the argument parser and returns what to run.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
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
};

// The result of a subcommand. `fields` holds the keys that docs and design give for it, beside the common ones.
struct SubcommandOutcome {
  ExitStatus status = ExitStatus::kClean;
  std::string message;
  nlohmann::json fields = nlohmann::json::object();
};

// Adds its options to `app` and returns the function that does the work. Throws InputError for bad input. Human output
// goes to stdout when `global.json` is false; with --json, main prints the one object and all else goes to stderr.
using SubcommandRun = std::function<SubcommandOutcome(const GlobalOptions&)>;

SubcommandRun add_replay(CLI::App& app);
SubcommandRun add_show(CLI::App& app);
SubcommandRun add_encode(CLI::App& app);
SubcommandRun add_fuzz(CLI::App& app);
SubcommandRun add_record(CLI::App& app);
SubcommandRun add_import(CLI::App& app);
SubcommandRun add_mutants(CLI::App& app);
SubcommandRun add_subjects(CLI::App& app);
SubcommandRun add_bench(CLI::App& app);

}  // namespace assay
