// assay encode FILE.ops -o OUT: text to the byte form that the engines read.
#include <fmt/format.h>

#include "harness/op/encode.h"
#include "harness/op/read_program.h"
#include "tools/atomic_file.h"
#include "tools/subcommand.h"

namespace assay {

SubcommandRun add_encode(CLI::App& app) {
  struct Options {
    std::string file, output;
  };
  auto options = std::make_shared<Options>();
  app.description("Turn a program's text into its byte form");
  app.add_option("FILE", options->file, "Program as text (bytes are accepted, too)")->required();
  app.add_option("-o,--output", options->output, "File to write")->required();
  return [options](const GlobalOptions&) {
    const std::vector<uint8_t> bytes = encode(read_program(options->file));
    write_atomically(options->output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    SubcommandOutcome outcome;
    outcome.message = fmt::format("{} bytes written to {}", bytes.size(), options->output);
    outcome.fields["output"] = options->output;
    return outcome;
  };
}

}  // namespace assay
