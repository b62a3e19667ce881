// Measures a workload under a preloaded allocator: time and memory of whole runs, system calls, instructions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/allocators.h"
#include "tools/command.h"

namespace assay::bench {

struct Workload {
  std::string name;     // as bench_workload knows it
  uint64_t operations;  // of one run
  // Threads wait for each other, or the length is memory and not time: instructions of one operation say nothing.
  bool one_loop;
};

const std::vector<Workload>& all_workloads();

struct Bench {
  std::filesystem::path program;  // bench_workload of the release flavour
  std::filesystem::path scratch;  // folder for the output of strace and callgrind

  // One run; throws InputError when the allocator cannot run it.
  CommandResult run(const Workload& workload, const PreloadedAllocator& allocator) const;
  // System calls about memory (mmap, munmap, madvise, ...) of one run, by strace; nothing where strace does not work.
  std::optional<uint64_t> system_calls(const Workload& workload, const PreloadedAllocator& allocator) const;
  // Instructions of one operation, the loop and both calls through the PLT included, by callgrind: the difference of
  // two lengths, so that start-up does not count. Nothing for a workload that is not one loop, or where callgrind does
  // not work.
  std::optional<double> instructions(const Workload& workload, const PreloadedAllocator& allocator) const;
};

}  // namespace assay::bench
