// assay show FILE: any form of a program as canonical text.
#include <fmt/format.h>

#include "harness/op/read_program.h"
#include "harness/op/text.h"
#include "tools/subcommand.h"

namespace assay {

SubcommandRun add_show(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.description("Print a program, given as bytes or text, as canonical text");
  app.add_option("FILE", *file, "Program as bytes or text")->required();
  return [file](const GlobalOptions& global) {
    const std::string text = print_text(read_program(*file));
    if (!global.json) fmt::print("{}", text);
    SubcommandOutcome outcome;
    outcome.message = fmt::format("{} shown as text", *file);
    outcome.fields["output"] = text;
    return outcome;
  };
}

}  // namespace assay
