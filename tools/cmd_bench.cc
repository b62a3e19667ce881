// assay bench: the named workloads under each allocator of this machine, each run in a process of its own. Runs of the
// allocators take turns, so that a slow minute of the machine hits all of them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "harness/op/program.h"
#include "harness/report/workdir.h"
#include "tools/bench/allocators.h"
#include "tools/bench/measure.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using namespace bench;

struct Options {
  std::vector<std::string> names;
  std::string against;
  int runs = 9;
  bool instructions = false;
};

std::vector<Workload> chosen_workloads(const std::vector<std::string>& names) {
  if (names.empty()) return all_workloads();
  std::vector<Workload> chosen;
  for (const std::string& name : names) {
    const auto& all = all_workloads();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Workload& row) { return row.name == name; });
    if (found == all.end()) {
      std::string known;
      for (const Workload& row : all) known += " " + row.name;
      throw InputError{fmt::format("unknown workload '{}' (here:{})", name, known)};
    }
    chosen.push_back(*found);
  }
  return chosen;
}

// The value below which this share of the samples lies.
double quantile(std::vector<double> samples, double share) {
  std::sort(samples.begin(), samples.end());
  const double at = share * static_cast<double>(samples.size() - 1);
  const size_t low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, samples.size() - 1);
  return samples[low] + (at - static_cast<double>(low)) * (samples[high] - samples[low]);
}

double median_of(const std::vector<CommandResult>& runs, double (*field)(const CommandResult&)) {
  std::vector<double> samples;
  for (const CommandResult& run : runs) samples.push_back(field(run));
  return quantile(samples, 0.5);
}

nlohmann::json summary(const Workload& workload, const PreloadedAllocator& allocator,
                       const std::vector<CommandResult>& runs) {
  std::vector<double> seconds;
  for (const CommandResult& run : runs) seconds.push_back(run.seconds);
  return {{"name", workload.name},
          {"allocator", allocator.name},
          {"runs", runs.size()},
          {"operations", workload.operations},
          {"seconds_median", quantile(seconds, 0.5)},
          {"seconds_p25", quantile(seconds, 0.25)},
          {"seconds_p75", quantile(seconds, 0.75)},
          {"cpu_seconds_median", median_of(runs, [](const CommandResult& run) { return run.cpu_seconds; })},
          {"peak_rss_kib_median",
           median_of(runs, [](const CommandResult& run) { return static_cast<double>(run.peak_rss_kib); })},
          {"minor_faults",
           median_of(runs, [](const CommandResult& run) { return static_cast<double>(run.minor_faults); })}};
}

void print_row(FILE* out, const nlohmann::json& row) {
  const double seconds = row["seconds_median"];
  const std::string instructions =
      row["instructions"].is_null() ? "-" : fmt::format("{:.1f}", row["instructions"].get<double>());
  const std::string calls =
      row["system_calls"].is_null() ? "-" : fmt::format("{}", row["system_calls"].get<uint64_t>());
  fmt::print(out,
             "{:<16} {:<10} {:>7.3f} s ({:.3f} to {:.3f}) {:>7.3f} s of processors {:>7.2f} M/s {:>9.0f} KiB {:>7} "
             "memory calls {:>8} "
             "instructions\n",
             row["name"].get<std::string>(), row["allocator"].get<std::string>(), seconds,
             row["seconds_p25"].get<double>(), row["seconds_p75"].get<double>(),
             row["cpu_seconds_median"].get<double>(), row["operations"].get<double>() / seconds / 1e6,
             row["peak_rss_kib_median"].get<double>(), calls, instructions);
  std::fflush(out);
}

SubcommandOutcome run_bench(const Options& options, const GlobalOptions& global) {
  const fs::path root = repository_root();
  const fs::path program = root / "build" / "release" / "bin" / "bench_workload";
  if (!fs::exists(program)) throw InputError{"the release flavour is not built: ./assay build release"};
  const std::vector<Workload> workloads = chosen_workloads(options.names);
  const std::vector<PreloadedAllocator> allocators =
      options.against.empty() ? installed_allocators(root) : parse_allocators(options.against, root);

  const Bench bench{program, ensure_dir(work_root() / "bench")};
  SubcommandOutcome outcome;
  outcome.fields["workloads"] = nlohmann::json::array();
  FILE* out = global.json ? stderr : stdout;
  for (const Workload& workload : workloads) {
    std::vector<std::vector<CommandResult>> runs(allocators.size());
    for (int i = 0; i < options.runs; ++i) {
      for (size_t a = 0; a < allocators.size(); ++a) runs[a].push_back(bench.run(workload, allocators[a]));
    }
    for (size_t a = 0; a < allocators.size(); ++a) {
      nlohmann::json row = summary(workload, allocators[a], runs[a]);
      const std::optional<uint64_t> calls = bench.system_calls(workload, allocators[a]);
      row["system_calls"] = calls ? nlohmann::json(*calls) : nlohmann::json();
      const std::optional<double> instructions =
          options.instructions ? bench.instructions(workload, allocators[a]) : std::nullopt;
      row["instructions"] = instructions ? nlohmann::json(*instructions) : nlohmann::json();
      print_row(out, row);
      outcome.fields["workloads"].push_back(std::move(row));
    }
  }
  outcome.message = fmt::format("{} workloads under {} allocators", workloads.size(), allocators.size());
  return outcome;
}

}  // namespace

SubcommandRun add_bench(CLI::App& app) {
  app.description("Throughput and memory beside the other allocators of this machine");
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->names, "Workloads; all when none is named");
  app.add_option("--against", options->against, "Allocators, by name or path, separated by commas");
  app.add_option("--runs", options->runs, "Runs of each workload on each allocator")->check(CLI::Range(1, 1000));
  app.add_flag("--instructions", options->instructions, "Also count instructions of one operation with callgrind");
  return [options](const GlobalOptions& global) { return run_bench(*options, global); };
}

}  // namespace assay
