#include "tools/bench/measure.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "harness/op/program.h"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> argv_of(const fs::path& program, const Workload& workload, uint64_t operations) {
  return {program.string(), workload.name, std::to_string(operations)};
}

void preload(Command& command, const PreloadedAllocator& allocator) {
  if (!allocator.library.empty()) command.environment.emplace_back("LD_PRELOAD", allocator.library.string());
}

// Instructions of a run of this many operations.
std::optional<uint64_t> count(const Bench& bench, const Workload& workload, const PreloadedAllocator& allocator,
                              uint64_t operations) {
  const fs::path log = bench.scratch / "callgrind.log";
  Command command;
  command.argv = {"valgrind", "--tool=callgrind",
                  fmt::format("--callgrind-out-file={}", (bench.scratch / "callgrind.out").string())};
  for (std::string& word : argv_of(bench.program, workload, operations)) command.argv.push_back(std::move(word));
  command.output = log;
  preload(command, allocator);
  if (run_command(command).status != 0) return std::nullopt;
  std::ifstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    const size_t at = line.find("Collected : ");
    if (at != std::string::npos) return std::stoull(line.substr(at + 12));
  }
  return std::nullopt;
}

}  // namespace

const std::vector<Workload>& all_workloads() {
  static const std::vector<Workload> workloads = {
      {"pairs-16", 20'000'000, true},   {"pairs-64", 20'000'000, true},        {"pairs-1024", 20'000'000, true},
      {"mixed", 5'000'000, true},       {"swiss_cheese", 450'000, false},      {"larson-4", 16'000'000, false},
      {"xmalloc-4", 8'000'000, false},  {"cache_scratch-4", 8'000'000, false}, {"mstress-8", 16'000'000, false},
      {"cow_trie-4", 4'000'000, false}, {"bulk_two_phase-4", 12'800, false},   {"trie_storm-1000", 110'000, false},
  };
  return workloads;
}

CommandResult Bench::run(const Workload& workload, const PreloadedAllocator& allocator) const {
  Command command;
  command.argv = argv_of(program, workload, workload.operations);
  command.output = scratch / "run.log";
  preload(command, allocator);
  CommandResult result = run_command(command);
  if (result.status != 0) {
    throw InputError{fmt::format("{} under {} ended with status {}", workload.name, allocator.name, result.status)};
  }
  // The kernel's own figure for a child begins at what its parent had resident.
  std::ifstream stream(command.output);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string word;
    if (words >> word && word == "VmHWM:") words >> result.peak_rss_kib;
    // The loader goes on without it, and libc would be measured in its name.
    if (line.find("cannot be preloaded") != std::string::npos) {
      throw InputError{fmt::format("{}: is no library that can be preloaded", allocator.name)};
    }
  }
  return result;
}

std::optional<uint64_t> Bench::system_calls(const Workload& workload, const PreloadedAllocator& allocator) const {
  const fs::path log = scratch / "strace.out";
  Command command;
  // The filter keeps the calls of locks, which cost a stop each, from being traced.
  command.argv = {"strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%memory", "-o", log.string()};
  if (!allocator.library.empty()) {
    command.argv.insert(command.argv.end(), {"-E", "LD_PRELOAD=" + allocator.library.string()});
  }
  for (std::string& word : argv_of(program, workload, workload.operations)) command.argv.push_back(std::move(word));
  if (run_command(command).status != 0) return std::nullopt;
  std::ifstream stream(log);
  uint64_t calls = 0;
  for (std::string line; std::getline(stream, line);) {
    // A call that another thread's came between is two lines.
    if (line.find(" resumed>") == std::string::npos) ++calls;
  }
  return calls;
}

std::optional<double> Bench::instructions(const Workload& workload, const PreloadedAllocator& allocator) const {
  constexpr uint64_t kShort = 20'000, kLong = 220'000;
  if (!workload.one_loop) return std::nullopt;
  const std::optional<uint64_t> few = count(*this, workload, allocator, kShort);
  const std::optional<uint64_t> many = few ? count(*this, workload, allocator, kLong) : std::nullopt;
  if (!many) return std::nullopt;
  return static_cast<double>(*many - *few) / static_cast<double>(kLong - kShort);
}

}  // namespace assay::bench
