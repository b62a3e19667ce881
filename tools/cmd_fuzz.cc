// assay fuzz [TARGET…]: the main job. Hunts with each target on each subject, one after another.
#include <fmt/format.h>

#include "harness/subject/subject_spec.h"
#include "tools/fuzz/campaign.h"
#include "tools/subcommand.h"
#include "tools/token_file.h"

namespace assay {
namespace {

struct KnownTarget {
  std::string_view name;
  Mode mode;                 // where --mode does not say
  std::string_view subject;  // where --subject does not say
};
constexpr KnownTarget kTargets[] = {{"alloc_ops", Mode::kSequential, "ximalloc"},
                                    {"mt_ops", Mode::kFree, "ximalloc"},
                                    {"heap_api", Mode::kSequential, "ximalloc"},
                                    {"differential", Mode::kSequential, "ximalloc,mimalloc,jemalloc"}};
constexpr std::string_view kComparing = "differential";
constexpr std::string_view kFlavours[] = {"fuzz", "tsan", "msan", "fuzz-sched", "afl"};

struct Arguments {
  FuzzOptions options;
  std::string engine;  // "": what the flavour is there for
  std::string known_file;
};

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const KnownTarget& target : kTargets) names.emplace_back(target.name);
  return names;
}

Mode mode_of(const FuzzOptions& options, const std::string& target) {
  const Mode usual = std::ranges::find(kTargets, target, &KnownTarget::name)->mode;
  // What the flavour is there for; to AFL++ threads that really run at once are all noise.
  const bool schedules = (options.flavour == "fuzz-sched" || options.flavour == "afl") && usual != Mode::kSequential;
  return options.mode.value_or(schedules ? Mode::kSchedule : usual);
}

// Each target has its own where none is said.
std::vector<std::string> subjects_of(const FuzzOptions& options, const std::string& target) {
  if (!options.subjects.empty()) return options.subjects;
  return {std::string(std::ranges::find(kTargets, target, &KnownTarget::name)->subject)};
}

// Several subjects in one word are compared, by the one target that does.
void refuse_mismatch(const std::string& target, const std::string& subject) {
  if (target == kComparing && !is_subject_list(subject)) {
    throw InputError{fmt::format("target {} compares: --subject A,B,… and not {}", target, subject)};
  }
  if (target != kComparing && is_subject_list(subject)) {
    throw InputError{fmt::format("target {} has one subject: only {} compares {}", target, kComparing, subject)};
  }
  if (is_subject_list(subject)) split_subjects(subject);
}

// All that can hunt on these subjects. What compares is for who names it, or a list of subjects: it finds the bugs of
// other allocators, which are no news of ours.
std::vector<std::string> targets_for(const FuzzOptions& options) {
  std::vector<std::string> names = target_names();
  const bool all_lists = !options.subjects.empty() && std::ranges::all_of(options.subjects, is_subject_list);
  if (!all_lists) std::erase(names, kComparing);
  if (all_lists) std::erase_if(names, [](const std::string& name) { return name != kComparing; });
  return names;
}

// AFL++ has a flavour of its own, and no other engine runs what it builds.
void choose_engine(Arguments& arguments, const GlobalOptions& global) {
  const bool afl = arguments.options.flavour == "afl";
  if (arguments.engine.empty()) arguments.engine = afl ? "afl" : "libfuzzer";
  if (arguments.engine != "afl" && arguments.engine != "libfuzzer") {
    throw InputError{fmt::format("unknown engine '{}' (libfuzzer or afl)", arguments.engine)};
  }
  if (afl != (arguments.engine == "afl")) {
    throw InputError{fmt::format("engine {} does not run flavour {}", arguments.engine,
                                 global.flavour.empty() ? arguments.options.flavour : global.flavour)};
  }
  if (afl) arguments.options.engine = Engine::kAfl;
}

void complete(Arguments& arguments, const GlobalOptions& global) {
  FuzzOptions& options = arguments.options;
  for (const std::string& target : options.targets) {
    if (std::ranges::find(kTargets, target, &KnownTarget::name) == std::end(kTargets)) {
      throw InputError{fmt::format("unknown target '{}' (there is: {})", target, fmt::join(target_names(), ", "))};
    }
  }
  const bool fuzzes = std::ranges::find(kFlavours, ASSAY_FLAVOUR) != std::end(kFlavours);
  if (fuzzes) options.flavour = ASSAY_FLAVOUR;
  if (arguments.engine == "afl") options.flavour = "afl";
  if (!global.flavour.empty()) options.flavour = global.flavour;
  if (std::ranges::find(kFlavours, options.flavour) == std::end(kFlavours)) {
    throw InputError{fmt::format("flavour '{}' cannot fuzz ({} can)", global.flavour, fmt::join(kFlavours, ", "))};
  }
  choose_engine(arguments, global);
  if (!global.mode.empty()) options.mode = find_mode(global.mode);
  options.subjects = global.subjects;
  if (options.targets.empty()) options.targets = targets_for(options);
  for (const std::string& target : options.targets) {
    for (const std::string& subject : subjects_of(options, target)) refuse_mismatch(target, subject);
  }
  options.seed = global.seed;
  options.known = read_tokens(arguments.known_file);
}

SubcommandOutcome hunt(Arguments& arguments, const GlobalOptions& global) {
  complete(arguments, global);
  const FuzzOptions& options = arguments.options;
  const uint64_t hunts = options.targets.size() * std::max<size_t>(1, options.subjects.size());
  const uint64_t seconds = std::max<uint64_t>(1, options.seconds / hunts);
  SubcommandOutcome outcome;
  nlohmann::json targets = nlohmann::json::array(), findings = nlohmann::json::array();
  watch_for_interrupts();
  for (const std::string& target : options.targets) {
    for (const std::string& subject : subjects_of(options, target)) {
      if (interrupted()) break;
      FuzzCampaign campaign(options, target, mode_of(options, target), subject, seconds, global.human());
      campaign.run();
      targets.push_back(campaign.figures());
      for (auto& finding : campaign.findings().json()) findings.push_back(std::move(finding));
    }
  }
  outcome.status = findings.empty() ? ExitStatus::kClean : ExitStatus::kViolation;
  outcome.message = findings.empty() ? "no violation" : fmt::format("{} violations", findings.size());
  outcome.fields["targets"] = std::move(targets);
  outcome.fields["findings"] = std::move(findings);
  return outcome;
}

}  // namespace

SubcommandRun add_fuzz(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  FuzzOptions& options = arguments->options;
  app.description("Hunt for bugs; resumes from work/, and keeps what it finds in work/findings");
  app.add_option("TARGET", options.targets, "Fuzz targets; all but differential when none is named");
  app.add_option("--seconds", options.seconds, "Time for all targets together")
      ->check(whole_number())
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000'000}));
  app.add_option("--engine", arguments->engine, "libfuzzer or afl");
  app.add_option("--jobs", options.jobs, "Processes for each target")
      ->check(whole_number())
      ->check(CLI::Range(1u, 1024u));
  app.add_flag("--keep-going", options.keep_going, "Go on after a find");
  app.add_option("--known", arguments->known_file, "File of tokens, one a line, that are no violation any more");
  return [arguments](const GlobalOptions& global) { return hunt(*arguments, global); };
}

}  // namespace assay
