#include "tools/mutants/mutant_build.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "harness/op/program.h"
#include "harness/report/workdir.h"
#include "tools/command.h"

namespace assay::mutants {
namespace {

namespace fs = std::filesystem;

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The first line that says what is wrong, for the one line that a user gets.
std::string first_error(const fs::path& log) {
  std::ifstream stream(log);
  std::string line, last;
  while (std::getline(stream, line)) {
    if (line.find("error:") != std::string::npos) return line;
    if (!line.empty() && !line.starts_with("ninja: ")) last = line;
  }
  return last;
}

void apply_patch(const Expectation& mutant, const fs::path& folder) {
  const fs::path log = folder / "patch.log";
  // Patches come from git (a/ and b/ before the path) and from plain diff.
  for (const char* strip : {"-p1", "-p0"}) {
    const std::vector<std::string> patch = {"patch", strip, "--batch", "--forward", "-i", mutant.patch.string()};
    std::vector<std::string> dry = patch;
    dry.push_back("--dry-run");
    if (run_command({dry, folder, {}, log}).status != 0) continue;
    if (run_command({patch, folder, {}, log}).status == 0) return;
  }
  throw InputError{fmt::format("{}: does not apply to allocator/ (log: {})", mutant.patch.string(), log.string())};
}

// What `ninja -t` says about a build folder.
std::vector<std::string> ninja_lines(const fs::path& folder, std::vector<std::string> words, const fs::path& scratch) {
  words.insert(words.begin(), {"ninja", "-C", folder.string(), "-t"});
  if (run_command({words, {}, {}, scratch}).status != 0) {
    throw InputError{fmt::format("{} is not a complete build: {}", folder.string(), first_error(scratch))};
  }
  std::vector<std::string> lines;
  std::ifstream stream(scratch);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("ninja: ")) lines.push_back(line);
  }
  return lines;
}

// Outputs of the flavour's build that depend on a patched file, from what the compiler told ninja.
std::set<std::string> stale_outputs(const SourceTree& tree, const Expectation& mutant, const fs::path& scratch) {
  std::set<std::string> patched, stale;
  for (const std::string& file : mutant.files) patched.insert((tree.root / file).string());
  std::string output;
  const fs::path original = tree.build_of(mutant.flavour);
  for (const std::string& line : ninja_lines(original, {"deps"}, scratch)) {
    if (!line.empty() && line[0] != ' ') {
      output = line.substr(0, line.find(": #deps"));
    } else if (line.size() > 4 && patched.contains(fs::weakly_canonical(original / line.substr(4)).string())) {
      stale.insert(output);
    }
  }
  return stale;
}

std::string output_of(const std::string& compile_command) {
  std::istringstream words(compile_command);
  for (std::string word; words >> word;) {
    if (word == "-o" && words >> word) return word;
  }
  return "";
}

// The mutant's build folder looks like the original: links to everything there but what the allocator's source decides.
void mirror(const fs::path& from, const fs::path& to, const std::set<std::string>& own) {
  fs::create_directories(to);
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (!own.contains(name)) fs::create_symlink(entry.path(), to / name);
  }
}

struct Step {
  std::string output, input, command;
};

void write_ninja(const fs::path& file, const std::vector<Step>& steps) {
  std::ofstream stream(file);
  stream << "rule run\n  command = $line\n";
  for (const Step& step : steps) {
    stream << fmt::format("build {}: run {}\n  line = {}\n", step.output, step.input,
                          replace_all(step.command, "$", "$$"));
  }
}

}  // namespace

SourceTree SourceTree::of_this_tool() {
  SourceTree tree;
  tree.root = repository_root();
  if (!fs::exists(tree.root / "allocator"))
    throw InputError{"mutants are built from the source tree, and there is none"};
  return tree;
}

fs::path SourceTree::build_of(const std::string& flavour) const {
  const fs::path folder = root / "build" / flavour;
  if (!fs::exists(folder / "build.ninja")) {
    throw InputError{fmt::format(
        "mutants are built from the source tree: build its {0} flavour first (./assay build {0})", flavour)};
  }
  return folder;
}

MutantBuild build_mutant(const Expectation& mutant, const SourceTree& tree) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path folder = tree.mutant_folder(mutant.name);
  const fs::path build = folder / "build";
  const fs::path original = tree.build_of(mutant.flavour);
  const fs::path scratch = folder / "ninja.log";
  fs::remove_all(folder);
  fs::create_directories(folder);
  fs::copy(tree.root / "allocator", folder / "allocator", fs::copy_options::recursive);
  apply_patch(mutant, folder);

  const std::set<std::string> stale = stale_outputs(tree, mutant, scratch);
  std::set<std::string> objects;
  std::vector<Step> steps;
  std::string archive_inputs, test_inputs;
  const std::string archive = "lib/libximalloc.a";
  // What a patched file goes into is compiled again, the rest is the original's.
  const auto add_object = [&](const std::string& object, const std::string& line, std::string& inputs) {
    objects.insert(object);
    fs::create_directories((build / object).parent_path());
    if (!stale.contains(object)) {
      fs::create_symlink(original / object, build / object);
      return;
    }
    const std::string command =
        replace_all(replace_all(line, tree.root.string() + "/allocator", (folder / "allocator").string()),
                    "-I" + tree.root.string() + " ", "-I" + folder.string() + " ");
    // A bug may leave a variable unused, which is no reason not to hunt it.
    steps.push_back({object, "", command + " -w"});
    inputs += " " + object;
  };
  for (const std::string& line : ninja_lines(original, {"commands", archive}, scratch)) {
    if (line.find(archive) != std::string::npos) {
      steps.push_back({archive, archive_inputs, line});
    } else if (const std::string object = output_of(line); !object.empty()) {
      add_object(object, line, archive_inputs);
    }
  }
  if (mutant.hunter == Hunter::kTest) {
    for (const std::string& line : ninja_lines(original, {"commands", "bin/" + mutant.target}, scratch)) {
      const std::string object = output_of(line);
      // Its own objects stand beside the allocator's, in the folder that is not mirrored.
      if (object.starts_with("allocator/") && object.ends_with(".o") && !objects.contains(object))
        add_object(object, line, test_inputs);
    }
  }
  if (archive_inputs.empty()) {
    throw InputError{
        fmt::format("{}: changes nothing that the {} flavour compiles", mutant.patch.string(), mutant.flavour)};
  }
  // The fuzz target or the test, and the tool that sweeps, explores and replays.
  std::vector<std::string> programs;
  if (mutant.hunter == Hunter::kFuzz || mutant.hunter == Hunter::kTest) programs.push_back("bin/" + mutant.target);
  if (mutant.hunter != Hunter::kTest) programs.push_back("bin/assay");
  // What goes into neither of them, as a benchmark does, may be as it was.
  std::set<std::string> hunted;
  for (const std::string& program : programs) {
    for (const std::string& input : ninja_lines(original, {"inputs", program}, scratch)) hunted.insert(input);
  }
  for (const std::string& output : stale) {
    const bool is_other = !objects.contains(output) && !output.starts_with("allocator/");
    if (is_other && hunted.contains(output) && output.find("_test") == std::string::npos) {
      throw InputError{
          fmt::format("{}: changes a header that the harness includes ({})", mutant.patch.string(), output)};
    }
  }
  mirror(original, build, {"allocator", "bin", "lib", "build.ninja", ".ninja_log", ".ninja_deps", "CMakeFiles"});
  mirror(original / "lib", build / "lib", {"libximalloc.a"});
  fs::create_directories(build / "bin");
  for (const std::string& program : programs) {
    for (const std::string& line : ninja_lines(original, {"commands", "-s", program}, scratch)) {
      steps.push_back({program, archive + test_inputs, line});
    }
  }
  write_ninja(build / "build.ninja", steps);

  const fs::path log = folder / "build.log";
  const CommandResult result = run_command({{"ninja", "-C", build.string(), "-j2"}, {}, {}, log});
  if (result.status != 0) {
    throw InputError{
        fmt::format("{}: the patched allocator does not build: {}", mutant.patch.string(), first_error(log))};
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {folder, build / "bin" / mutant.target, build / "bin" / "assay", seconds.count()};
}

}  // namespace assay::mutants
