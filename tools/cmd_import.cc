// assay import TRACE -o DIR: cuts a recorded trace into seed programs.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "harness/op/program.h"
#include "harness/op/text.h"
#include "harness/op/trace_import.h"
#include "harness/op/trace_window.h"
#include "tools/atomic_file.h"
#include "tools/subcommand.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string trace;
  std::string folder;
  ImportOptions import;
};

// A folder beside the one that is wanted, gone when it has not become it.
class FolderInTheMaking {
 public:
  explicit FolderInTheMaking(const fs::path& wanted) : wanted_(wanted), path_(wanted.string() + ".XXXXXX") {
    if (fs::exists(wanted) && !fs::is_directory(wanted)) throw InputError{wanted.string() + ": is not a directory"};
    if (mkdtemp(path_.data()) == nullptr) refuse(std::strerror(errno));
    fs::permissions(path_, fs::perms::all & ~fs::perms(current_mask()));
  }
  ~FolderInTheMaking() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FolderInTheMaking(const FolderInTheMaking&) = delete;
  FolderInTheMaking& operator=(const FolderInTheMaking&) = delete;

  const std::string& path() const { return path_; }

  // All at once where there was no such folder; otherwise each file replaces its namesake.
  void finish() {
    std::error_code error;
    if (!fs::exists(wanted_)) {
      fs::rename(path_, wanted_, error);
      if (error) refuse(error.message());
      return;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      fs::rename(entry.path(), wanted_ / entry.path().filename(), error);
      if (error) refuse(error.message());
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError{fmt::format("{}: cannot be written: {}", wanted_.string(), why)};
  }
  static mode_t current_mask() {
    const mode_t mask = umask(0);
    umask(mask);
    return mask;
  }

  fs::path wanted_;
  std::string path_;
};

SubcommandOutcome import(const Options& options, const GlobalOptions& global) {
  fs::path folder = fs::path(options.folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const TraceFile trace(options.trace);
  const std::vector<ImportedProgram> programs = import_trace(trace, options.import);
  if (programs.empty()) throw InputError{options.trace + ": holds no operations"};

  FolderInTheMaking making(folder);
  for (const ImportedProgram& imported : programs) {
    write_atomically(making.path() + "/" + imported.name + ".ops", print_text(imported.program));
  }
  making.finish();

  SubcommandOutcome outcome;
  outcome.message =
      fmt::format("{} programs from {} processes in {}", programs.size(), trace.processes().size(), options.folder);
  outcome.fields["output"] = options.folder;
  if (!global.json) fmt::print("{}\n", outcome.message);
  return outcome;
}

}  // namespace

SubcommandRun add_import(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.description("Cut a recorded trace into seed programs");
  app.add_option("TRACE", options->trace, "What 'assay record' wrote")->required();
  app.add_option("-o,--output", options->folder, "Folder for the programs, made if it is not there")->required();
  app.add_option("--window", options->import.window, "Operations of the trace in each program")
      ->check(CLI::Range(size_t{1}, kMaxWindow))
      ->capture_default_str();
  app.add_option("--max", options->import.max_programs, "Keep at most this many programs, the most diverse ones")
      ->check(CLI::Range(size_t{1}, size_t{100'000}))
      ->capture_default_str();
  return [options](const GlobalOptions& global) { return import(*options, global); };
}

}  // namespace assay
