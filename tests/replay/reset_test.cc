// Nothing outside the program decides an outcome: each program of the corpus, and some generated ones, run after any
// other programs and a reset, gives the same trace hash as in a process of its own that was never reset.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "harness/exec/run.h"
#include "harness/op/generate.h"
#include "harness/op/read_program.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

constexpr const char* kHashOf = "--hash-of";
constexpr uint64_t kGenerated = 64;
constexpr size_t kOperations = 80;

// A corpus file's path, or the seed of a generated program as "#17".
Program load(const std::string& spec) {
  return spec.starts_with('#') ? generate(std::strtoull(spec.c_str() + 1, nullptr, 10), kOperations)
                               : read_program(spec);
}

// Programs that fork cost 100 times as much as others and add nothing here.
bool has_fork(const Program& program) {
  return std::any_of(program.lines.begin(), program.lines.end(),
                     [](const Operation& line) { return line.code == OpCode::kFork; });
}

std::vector<std::string> all_specs() {
  std::vector<std::string> specs;
  for (uint64_t seed = 0; seed < kGenerated; ++seed) specs.push_back(fmt::format("#{}", seed));
  const std::filesystem::path corpus = std::string(ASSAY_SOURCE_DIR) + "/corpus";
  if (std::filesystem::exists(corpus)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
      if (entry.path().extension() == ".ops") specs.push_back(entry.path().string());
    }
  }
  std::erase_if(specs, [](const std::string& spec) { return has_fork(load(spec)); });
  std::sort(specs.begin(), specs.end());
  return specs;
}

// ximalloc as it is when the process starts: neither reset nor warmed up.
class Untouched final : public Subject {
 public:
  explicit Untouched(const Subject& inner) : inner_(inner) {
    api_ = inner.api();
    heap_kit_ = inner.heap_kit();
    instruments_ = inner.instruments();
    instruments_.reset = nullptr;
    instruments_.footprint = nullptr;
    promises_ = inner.promises();
  }
  bool owns_code(const void* pc) const override { return inner_.owns_code(pc); }

 private:
  const Subject& inner_;
};

uint64_t hash_of(const Program& program, const Subject& subject) {
  ProgramSteps steps(program);
  RunOptions options;
  options.strictness = Strictness::kSampled;
  const RunResult result = run_sequential(steps, subject, options);
  EXPECT_FALSE(result.violation) << result.violation.sentence << ": " << result.violation.seen;
  return result.trace_hash;
}

// One hash for each spec, each from a process in which ximalloc was not called before: a fork of a program that only
// forks.
std::vector<uint64_t> hashes_in_fresh_processes(const std::vector<std::string>& specs) {
  std::string command = fmt::format("exec '{}' {}", std::filesystem::read_symlink("/proc/self/exe").string(), kHashOf);
  for (const std::string& spec : specs) command += fmt::format(" '{}'", spec);
  std::FILE* output = popen(command.c_str(), "r");
  std::vector<uint64_t> hashes;
  for (unsigned long long hash = 0; std::fscanf(output, "%llx", &hash) == 1;) hashes.push_back(hash);
  EXPECT_EQ(pclose(output), 0);
  return hashes;
}

TEST(Reset, EveryProgramRunsAsInAFreshProcess) {
  const auto subject = open_subject("ximalloc");
  if (subject->instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  struct Entry {
    std::string spec;
    Program program;
    uint64_t hash;
  };
  std::vector<Entry> entries;
  const std::vector<std::string> specs = all_specs();
  const std::vector<uint64_t> hashes = hashes_in_fresh_processes(specs);
  ASSERT_GE(specs.size(), size_t{32});
  ASSERT_EQ(hashes.size(), specs.size());
  for (size_t i = 0; i < specs.size(); ++i) entries.push_back({specs[i], load(specs[i]), hashes[i]});

  std::mt19937_64 random(1);
  for (int order = 0; order < 4; ++order) {
    for (const Entry& entry : entries) {
      ASSERT_EQ(hash_of(entry.program, *subject), entry.hash) << entry.spec << " in order " << order;
    }
    std::shuffle(entries.begin(), entries.end(), random);
  }
}

// A hash that said the same of different programs would make the test above empty.
TEST(Reset, DifferentProgramsHaveDifferentHashes) {
  const auto subject = open_subject("ximalloc");
  std::vector<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 16; ++seed) hashes.push_back(hash_of(generate(seed * 7 + 1, 20), *subject));
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

}  // namespace

void print_hash(const std::string& spec) {
  const auto subject = open_subject("ximalloc");
  const Untouched untouched(*subject);
  fmt::print("{:x}\n", hash_of(load(spec), untouched));
  std::fflush(stdout);
}

int print_hashes(int count, char** specs) {
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      print_hash(specs[i]);
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
  }
  return 0;
}

}  // namespace assay

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == assay::kHashOf) return assay::print_hashes(argc - 2, argv + 2);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
