// assay mutants: builds each seeded bug of mutants/ (or the user's own patches), hunts it, and prints the scoreboard.
// The unmutated allocator is hunted beside them: a violation there means that the score says nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>

#include "harness/op/encode.h"
#include "harness/op/program.h"
#include "harness/op/read_program.h"
#include "tools/mutants/expectation.h"
#include "tools/mutants/hunt.h"
#include "tools/mutants/mutant_build.h"
#include "tools/mutants/scoreboard.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using namespace mutants;

constexpr int kControlSeconds = 30;
constexpr const char* kComparing = "differential";

struct Options {
  std::vector<std::string> filters;
  std::vector<std::string> patches;
  int seconds = 0;        // 0: as each header says
  uint64_t programs = 0;  // 0: as many as there is time for
  bool blind = false;
  bool compare = false;
  bool hunt_only = false;
};

std::vector<fs::path> sorted_files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && (extension.empty() || entry.path().extension() == extension))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Expectation> selected_patches(const Options& options, const SourceTree& tree) {
  std::vector<Expectation> selected;
  for (const std::string& patch : options.patches) selected.push_back(read_expectation(patch, false));
  for (size_t i = 0; i < selected.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      // Two patches with one name would be built in one folder.
      if (selected[i].name == selected[j].name) selected[i].name += fmt::format("-{}", i + 1);
    }
  }
  if (!selected.empty()) return selected;
  for (const fs::path& patch : sorted_files(tree.root / "mutants", ".patch")) {
    const std::string name = patch.stem().string();
    const auto matches = [&](const std::string& glob) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
    if (options.filters.empty() || std::any_of(options.filters.begin(), options.filters.end(), matches)) {
      selected.push_back(read_expectation(patch, true));
    }
  }
  if (selected.empty()) throw InputError{"no mutant matches the filter"};
  return selected;
}

std::vector<Expectation> select(const Options& options, const SourceTree& tree) {
  const std::vector<Expectation> selected = selected_patches(options, tree);
  if (!options.compare) return selected;
  std::vector<Expectation> compared;
  for (const Expectation& mutant : selected) {
    if (!mutant.compared.empty()) compared.push_back(mutant.by_comparison());
  }
  if (compared.empty()) throw InputError{"--compare: no such patch has a line '# Compared: …'"};
  return compared;
}

fs::path seeds_of(const SourceTree& tree, const Expectation& mutant) {
  return tree.build_of(mutant.flavour) / "corpus" / mutant.target;
}

// The committed programs of a target, as text.
std::vector<fs::path> committed_programs(const SourceTree& tree, const std::string& target) {
  std::vector<fs::path> programs = sorted_files(tree.root / "corpus" / target, ".ops");
  for (const fs::path& folder : {tree.root / "corpus" / "regress" / target, tree.root / "fuzz" / target / "seeds"}) {
    for (const fs::path& file : sorted_files(folder, ".ops")) programs.push_back(file);
  }
  return programs;
}

// The names of the corpus's programs that were recorded from nothing begin with one of these; those that a fuzzer has
// grown, or that were made for a line of the allocator, may know the mutant.
constexpr std::array<std::string_view, 3> kNotRecorded = {"grown-", "edge-", "workload-"};

// Seeds recorded from real programs only: no seed written by hand, no regression file, nothing grown.
fs::path blind_seeds(const SourceTree& tree, const std::string& target, const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  // What is compared are programs of the same operations.
  const std::string recorded = target == kComparing ? "alloc_ops" : target;
  for (const fs::path& file : sorted_files(tree.root / "corpus" / recorded, ".ops")) {
    const std::string name = file.filename();
    if (std::ranges::any_of(kNotRecorded, [&](std::string_view begin) { return name.starts_with(begin); })) continue;
    const std::vector<uint8_t> bytes = encode(read_program(file.string()));
    std::ofstream(folder / file.stem(), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return folder;
}

// What is the same for a mutant and for the allocator as it is.
HuntOptions hunt_options(const Expectation& mutant, const SourceTree& tree) {
  HuntOptions options;
  options.hunter = mutant.hunter;
  options.flavour = mutant.flavour;
  options.seeds = seeds_of(tree, mutant);
  if (mutant.hunter == Hunter::kSweep || mutant.hunter == Hunter::kExplore)
    options.programs = committed_programs(tree, mutant.target);
  return options;
}

Row hunt_mutant(const Expectation& mutant, const MutantBuild& build, const Options& options,
                const GlobalOptions& global, const SourceTree& tree) {
  Row row;
  row.mutant = mutant;
  row.build_seconds = build.seconds;

  HuntOptions from_corpus = hunt_options(mutant, tree);
  from_corpus.target = build.target;
  from_corpus.tool = build.tool;
  from_corpus.folder = build.folder / "hunt";
  from_corpus.seconds = options.seconds > 0 ? options.seconds : mutant.within_seconds;
  from_corpus.most_runs = options.programs;
  from_corpus.seed = global.seed_given ? global.seed : 1;
  const HuntResult result = hunt(from_corpus);
  if (!result.fault.empty()) throw InputError{fmt::format("{}: the target did not run: {}", mutant.name, result.fault)};
  row.seconds = result.seconds;
  row.processor_seconds = result.processor_seconds;
  row.programs = result.programs;
  // The strict replay is what a token is computed from; a bug that hides from it keeps the name that the hunt gave it.
  row.oracle =
      mutant.accepts(result.replayed_oracle) || !mutant.accepts(result.oracle) ? result.replayed_oracle : result.oracle;
  if (row.oracle == Oracle::kNone) row.oracle = result.oracle;
  row.killed = mutant.accepts(row.oracle);

  // A test has no programs, and nothing that it could be blind to.
  if (mutant.hunter == Hunter::kTest || options.hunt_only) return row;
  const ReplayResult replayed =
      replay(build.tool, mutant.flavour, committed_programs(tree, mutant.target), build.folder / "replay.json");
  row.killed_by_replay = std::any_of(replayed.oracles.begin(), replayed.oracles.end(),
                                     [&](Oracle oracle) { return mutant.accepts(oracle); });
  if (options.blind) {
    HuntOptions blind = from_corpus;
    if (mutant.hunter == Hunter::kFuzz) {
      blind.seeds = blind_seeds(tree, mutant.target, build.folder / "blind-seeds");
    } else {
      // Nothing grows here: what it must do without is the program that was written for this bug.
      std::erase_if(blind.programs,
                    [&](const fs::path& file) { return file.filename().string().starts_with(mutant.name); });
    }
    blind.folder = build.folder / "blind";
    std::vector<double> kills;
    for (int i = 0; i < kBlindHunts; ++i) {
      blind.seed = from_corpus.seed + static_cast<uint64_t>(i);
      const HuntResult found = hunt(blind);
      if (mutant.accepts(found.oracle) || mutant.accepts(found.replayed_oracle)) kills.push_back(found.seconds);
    }
    std::sort(kills.begin(), kills.end());
    row.killed_blind = static_cast<int>(kills.size());
    if (!kills.empty()) row.blind_seconds = kills[kills.size() / 2];
  }
  return row;
}

// The allocator as it is, hunted alike with each target, in each way, that the mutants are hunted with.
Control hunt_unmutated(const std::vector<Expectation>& selected, const SourceTree& tree, const Options& asked,
                       uint64_t seed) {
  // Where programs are counted, the time is a limit only, and may be hours.
  const int seconds = asked.seconds == 0    ? kControlSeconds
                      : asked.programs == 0 ? asked.seconds
                                            : std::min(asked.seconds, kControlSeconds);
  std::map<std::string, const Expectation*> ways;
  for (const Expectation& mutant : selected)
    ways[fmt::format("{}-{}-{}", mutant.flavour, name(mutant.hunter), mutant.target)] = &mutant;
  Control control;
  for (const auto& [way, mutant] : ways) {
    const fs::path programs = tree.build_of(mutant->flavour) / "bin";
    HuntOptions options = hunt_options(*mutant, tree);
    options.target = programs / mutant->target;
    if (mutant->hunter != Hunter::kFuzz) options.tool = programs / "assay";
    options.folder = tree.mutant_folder("control") / way;
    options.seconds = seconds;
    options.most_runs = asked.programs;
    options.seed = seed;
    const HuntResult result = hunt(options);
    if (!result.fault.empty()) throw InputError{fmt::format("the control did not run: {}", result.fault)};
    control.programs += result.programs;
    control.seconds += result.seconds;
    if (result.found()) {
      ++control.violations;
      control.oracle = result.oracle;
    }
  }
  return control;
}

// Mutants are built and hunted in one folder: who comes second waits, a campaign's canary as well as its user. The lock
// goes with the process.
void wait_for_folder(const SourceTree& tree) {
  const std::string path = tree.mutant_folder("").parent_path().string() + ".lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return;
  fmt::print(stderr, "another ./assay mutants is at work here: waiting for its end\n");
  while (::flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
  }
}

// Who compares needs a worker process for most others. A mutant's folder has none, and needs none of its own: it is the
// others that run there.
void share_worker(const SourceTree& tree) {
  constexpr int kKeep = 0;
  const fs::path worker = tree.root / "build/release/bin/assay-worker";
  if (fs::exists(worker)) ::setenv("ASSAY_WORKER", worker.c_str(), kKeep);
}

SubcommandOutcome run_mutants(const Options& options, const GlobalOptions& global) {
  const SourceTree tree = SourceTree::of_this_tool();
  const std::vector<Expectation> selected = select(options, tree);
  wait_for_folder(tree);
  share_worker(tree);
  FILE* out = global.json ? stderr : stdout;

  // All of them before any hunt: a patch that does not apply or compile is told at once.
  std::vector<MutantBuild> builds;
  for (const Expectation& mutant : selected) {
    fmt::print(out, "building {}\n", mutant.name);
    std::fflush(out);
    builds.push_back(build_mutant(mutant, tree));
  }
  fmt::print(out, "{}\n", heading(options.blind));
  std::vector<Row> rows;
  for (size_t i = 0; i < selected.size(); ++i) {
    rows.push_back(hunt_mutant(selected[i], builds[i], options, global, tree));
    fmt::print(out, "{}\n", text(rows.back()));
    std::fflush(out);
  }
  Control control;
  if (!options.hunt_only) {
    control = hunt_unmutated(selected, tree, options, global.seed_given ? global.seed : 1);
    fmt::print(out, "{:<26} {:<9} {:<28} {:<12} {:>7.1f} {:>9}\n", "control (not mutated)",
               control.violations == 0 ? "clean" : "VIOLATION", "-",
               control.oracle == Oracle::kNone ? "-" : name(control.oracle), control.seconds, control.programs);
  }

  SubcommandOutcome outcome;
  outcome.message = fmt::format("{} of {} mutants killed", killed(rows), rows.size());
  if (control.violations > 0) outcome.message += "; the unmutated control broke a promise, too";
  fmt::print(out, "{}\n", outcome.message);
  outcome.fields = json(rows, control);
  const bool all_killed = killed(rows) == static_cast<int>(rows.size());
  if (!all_killed || control.violations > 0) outcome.status = ExitStatus::kViolation;
  return outcome;
}

}  // namespace

SubcommandRun add_mutants(CLI::App& app) {
  app.description("Build each seeded bug (or your patches), hunt each, print the scoreboard");
  auto options = std::make_shared<Options>();
  app.add_option("--filter", options->filters, "Only the mutants whose name matches this glob")
      ->expected(1)
      ->take_all();
  app.add_option("--patch", options->patches, "Your own patches on allocator/ instead of mutants/");
  app.add_option("--seconds", options->seconds, "Hunt each for at most N seconds")->check(CLI::Range(1, 999'999'999));
  app.add_option("--programs", options->programs,
                 "Run at most N programs on each; a busy machine takes longer for them")
      ->check(CLI::Range(uint64_t{1}, uint64_t{999'999'999}));
  app.add_flag("--hunt-only", options->hunt_only,
               "Neither replay the committed programs on each, nor hunt the allocator as it is beside them");
  app.add_flag(
      "--compare", options->compare,
      "Hunt those whose patch says '# Compared:' with target differential instead of the target of their header");
  app.add_flag("--blind", options->blind, "Also hunt five times from recorded seeds only");
  return [options](const GlobalOptions& global) { return run_mutants(*options, global); };
}

}  // namespace assay
