#include "tools/debugger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace assay {
namespace {

// gdb would take /proc/self/exe for itself.
std::string resolved(const std::string& executable) {
  std::error_code error;
  const auto path = std::filesystem::canonical(executable, error);
  return error ? executable : path.string();
}

}  // namespace

void debug(const ReplayInput& input, const WorkerCommand& command, const ReplayVerdict& verdict) {
  std::vector<std::string> arguments = {
      "gdb", "-q", "-ex", "set breakpoint pending on", "-ex", "handle SIGPIPE nostop", "-ex", "break assay_breakpoint"};
  // Set for the program only: gdb itself must not run on the subject.
  std::string wrapper = "set exec-wrapper env";
  for (const std::string& variable : command.environment) wrapper += " " + variable;
  arguments.insert(arguments.end(), {"-ex", wrapper, "-ex", "run", "--args", resolved(command.arguments.at(0))});
  arguments.insert(arguments.end(), command.arguments.begin() + 1, command.arguments.end());
  const bool known = verdict.violation.line != kNoOperation;
  arguments.insert(arguments.end(), {"--file", input.file, "--line", std::to_string(known ? verdict.violation.line : 0),
                                     "--member", std::to_string(known ? verdict.violation.member : 0)});
  arguments.insert(arguments.end(), {"--mode", std::string(name(command.mode))});
  if (input.form == Form::kTrace) {
    arguments.insert(arguments.end(), {"--trace-process", std::to_string(verdict.trace_process)});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  ::execvp(argv[0], argv.data());
  throw InputError{fmt::format("gdb cannot be started: {}", std::strerror(errno))};
}

}  // namespace assay
