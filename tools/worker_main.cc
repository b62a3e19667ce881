#include "tools/worker_main.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "fuzz/differential/lockstep.h"
#include "harness/exec/worker_server.h"
#include "harness/op/read_program.h"
#include "harness/op/trace.h"
#include "harness/report/crash.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

using Arguments = std::map<std::string, std::string>;

uint64_t number(const Arguments& arguments, const std::string& name) {
  const auto entry = arguments.find(name);
  return entry == arguments.end() ? 0 : std::strtoull(entry->second.c_str(), nullptr, 10);
}

std::unique_ptr<ComparedSubjects> open_list(const std::string& list) {
  return open_in_workers(list, "/proc/self/exe");
}

int run_file(const Arguments& arguments) {
  const std::string& file = arguments.at("--file");
  const std::unique_ptr<Subject> subject = open_subject(arguments.at("--subject"));
  RunOptions options;
  options.print_steps = true;
  options.break_at_line = number(arguments, "--line");
  options.break_at_member = number(arguments, "--member");
  RunResult result;
  if (arguments.count("--trace-process") != 0) {
    const TraceFile trace(file);
    TraceSteps steps(trace, number(arguments, "--trace-process"));
    result = run_sequential(steps, *subject, options);
  } else {
    const std::optional<Mode> mode = find_mode(arguments.at("--mode"));
    result = run_in_mode(read_program(file), mode.value_or(Mode::kSequential), *subject, options);
  }
  if (!result.violation) {
    fmt::print(stderr, "clean\n");
    return 0;
  }
  fmt::print(stderr, "VIOLATION {}: {}\n", name(result.violation.oracle), result.violation.sentence);
  return 1;
}

}  // namespace

int worker_main(int argc, char** argv, const ServerHooks::Coverage* coverage) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strncmp(argv[i], "--", 2) == 0) arguments[argv[i]] = argv[i + 1];
  }
  if (arguments.count("--subject") == 0 || arguments.count("--channel") + arguments.count("--file") != 1) {
    fmt::print(stderr, "{}: started by assay, not by hand\n", argv[0]);
    return 2;
  }
  try {
    if (arguments.count("--file") != 0) return run_file(arguments);
    return serve_worker(static_cast<int>(number(arguments, "--channel")), arguments["--subject"],
                        ServerHooks{install_crash_handlers, open_list, coverage});
  } catch (const InputError& error) {
    fmt::print(stderr, "assay: {}\n", error.message);
    return 2;
  }
}

}  // namespace assay
