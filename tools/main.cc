// The `assay` command line: finds the subcommand, runs it, and turns whatever comes of it into an exit status, one line
// on stderr where something was refused, and with --json one object on stdout.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "harness/op/program.h"
#include "harness/subject/shared_object.h"
#include "tools/subcommand.h"
#include "tools/worker_main.h"

namespace assay {
namespace {

struct Registered {
  const char* name;
  SubcommandRun (*add)(CLI::App&);
};
constexpr Registered kSubcommands[] = {
#define ASSAY_SUBCOMMAND(name, add) {name, add},
#include "subcommands.inc"
#undef ASSAY_SUBCOMMAND
};

constexpr std::string_view kFlavours[] = {"dev",  "release", "fuzz",       "fuzz-sched", "afl", "tsan",
                                          "msan", "sched",   "sched-tsan", "secure",     "cov"};

// What the parser cannot refuse before it knows the options.
void check(const GlobalOptions& global) {
  bool known = global.flavour.empty();
  for (std::string_view flavour : kFlavours) known = known || global.flavour == flavour;
  if (!known) throw InputError{fmt::format("unknown flavour '{}'", global.flavour)};
  if (!global.mode.empty() && !find_mode(global.mode)) {
    throw InputError{fmt::format("unknown mode '{}' (sequential, schedule or free)", global.mode)};
  }
}

void add_global_options(CLI::App& app, GlobalOptions& global) {
  app.add_flag("--json", global.json, "Print exactly one JSON object on stdout");
  app.add_option("--flavour", global.flavour, "Build flavour: dev, release, fuzz, cov");
  app.add_option("--mode", global.mode, "sequential, schedule or free");
  app.add_option("--seed", global.seed, "Seed of everything random")->check(whole_number());
  app.add_option("--subject", global.subjects, "Allocator under test: ximalloc, libc, ./lib.so or ./lib.so:prefix_")
      ->expected(1)
      ->take_all();
}

// Why the first word is none of ours, or "".
std::string unknown_subcommand(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  for (const Registered& row : kSubcommands) {
    if (std::string_view(argv[1]) == row.name) return "";
  }
  return fmt::format("unknown subcommand '{}' ('assay --help' lists them)", argv[1]);
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

const char* verdict(ExitStatus status) {
  switch (status) {
    case ExitStatus::kClean: return "clean";
    case ExitStatus::kViolation: return "violation";
    case ExitStatus::kBadInput:
    case ExitStatus::kHarnessBug: break;
  }
  return "error";
}

// What main knows of the command line before and after parsing.
struct Invocation {
  GlobalOptions global;
  std::string subcommand;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

int finish(const Invocation& invocation, SubcommandOutcome outcome) {
  const GlobalOptions& global = invocation.global;
  outcome.message = one_line(outcome.message);
  if (outcome.status == ExitStatus::kBadInput) fmt::print(stderr, "assay: {}\n", outcome.message);
  if (outcome.status == ExitStatus::kHarnessBug) fmt::print(stderr, "HARNESS BUG: {}\n", outcome.message);
  if (global.json) {
    const char* commit = std::getenv("ASSAY_COMMIT");
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - invocation.start;
    nlohmann::json object = std::move(outcome.fields);
    object["verdict"] = verdict(outcome.status);
    object["message"] = outcome.message;
    object["subcommand"] = invocation.subcommand;
    object["commit"] = commit == nullptr ? "" : commit;
    object["flavour"] = global.flavour.empty() ? ASSAY_FLAVOUR : global.flavour;
    // A header line may have chosen another one than the option.
    if (!object.contains("mode")) object["mode"] = global.mode.empty() ? "sequential" : global.mode;
    object["seconds"] = seconds.count();
    // A program name need not be UTF-8; what is not is replaced instead of refused.
    const auto handler = nlohmann::json::error_handler_t::replace;
    fmt::print(stdout, "{}\n", object.dump(2, ' ', false, handler));
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "assay: standard output cannot be written\n");
    if (outcome.status == ExitStatus::kClean) outcome.status = ExitStatus::kBadInput;
  }
  return outcome.exit_status.value_or(static_cast<int>(outcome.status));
}

SubcommandOutcome guarded(const std::function<SubcommandOutcome()>& run) {
  try {
    return run();
  } catch (const InputError& error) {
    return {ExitStatus::kBadInput, error.message, nlohmann::json::object()};
  } catch (const std::exception& error) {
    return {ExitStatus::kHarnessBug, error.what(), nlohmann::json::object()};
  }
}

int run_main(int argc, char** argv) {
  Invocation invocation;
  // A command line that does not parse must be answered in JSON, too, when that was asked for.
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (std::string_view(argv[i]) == "--json") invocation.global.json = true;
  }
  if (const std::string fault = unknown_subcommand(argc, argv); !fault.empty()) {
    return finish(invocation, {ExitStatus::kBadInput, fault, nlohmann::json::object()});
  }
  GlobalOptions parsed;
  SubcommandRun run;
  CLI::App app("assay finds bugs in memory allocators", "assay");
  app.require_subcommand(1);
  for (const Registered& row : kSubcommands) {
    CLI::App* sub = app.add_subcommand(row.name);
    add_global_options(*sub, parsed);
    sub->parse_complete_callback([&invocation, name = row.name] { invocation.subcommand = name; });
    sub->final_callback([&run, work = row.add(*sub)] { run = work; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return finish(invocation, {ExitStatus::kBadInput, error.what(), nlohmann::json::object()});
  }
  for (const CLI::App* sub : app.get_subcommands()) parsed.seed_given = sub->count("--seed") > 0;
  invocation.global = parsed;
  SubcommandOutcome outcome = guarded([&] {
    check(parsed);
    return run(parsed);
  });
  return finish(invocation, std::move(outcome));
}

}  // namespace

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        uint64_t value = 0;
        const bool hex = text.starts_with("0x");
        const char* begin = text.data() + (hex ? 2 : 0);
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(begin, end, value, hex ? 16 : 10);
        if (begin != end && stop == end && error == std::errc()) return std::string();
        return fmt::format("'{}' is not a whole number from 0 to 2^64-1", text);
      },
      "NUMBER");
}

}  // namespace assay

int main(int argc, char** argv) {
  // The other end of a Worker (harness/exec/worker.h), started by ourselves only.
  if (argc > 1 && std::string_view(argv[1]) == "serve-worker") return assay::worker_main(argc - 1, argv + 1);
  // To say what can be loaded here, room for static TLS is needed; programs under test have processes of their own.
  const std::string_view subcommand = argc > 1 ? argv[1] : "";
  if (subcommand == "subjects" || subcommand == "diff") assay::ensure_static_tls(argv);
  return assay::run_main(argc, argv);
}
