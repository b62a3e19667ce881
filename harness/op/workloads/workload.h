// Workloads that users of allocators really have, as programs: what their threads allocate, in which order, and which
// thread frees what. The text order interleaves the threads, so that mode sequential meets the same pattern; in modes
// schedule and free the threads run at a time, and only operations on one slot wait for each other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "harness/op/program.h"

namespace assay {

struct WorkloadOptions {
  uint32_t threads = 1;  // beside t0, which prepares and cleans up: 1 to kMaxWorkloadThreads
  uint64_t rounds = 1;   // 1 to kMaxWorkloadRounds; what one is depends on the workload
  uint64_t seed = 0;
};
inline constexpr uint32_t kMaxWorkloadThreads = kMaxTextThreads - 1;
inline constexpr uint64_t kMaxWorkloadRounds = 100'000;

struct Workload {
  std::string_view name;
  std::string_view purpose;
  WorkloadOptions usual;
  // Well-formed, whatever the options; the same options give the same program.
  Program (*make)(const WorkloadOptions& options);
};

std::span<const Workload> all_workloads();
const Workload* find_workload(std::string_view name);  // nullptr when there is none

}  // namespace assay
