// Fragmentation: what can be had again of memory whose live blocks lie everywhere.
#include <algorithm>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {

// A round is 2,000 blocks, 5.5 MB, on each thread; rounds that the slots cannot hold replace the first ones.
Program swiss_cheese(const WorkloadOptions& options) {
  constexpr uint32_t kBlocksARound = 2000;
  constexpr uint64_t kSmallest = 16, kLargest = 5500, kRefilled = 1280;
  ProgramBuilder program(options);
  const uint32_t batch = program.slots_each(kBlocksARound);
  const auto kept =
      static_cast<uint32_t>(std::min<uint64_t>(options.rounds, program.slots_each(kMaxTextSlots) / batch));
  const auto blocks = [&](uint32_t thread, uint64_t round) {
    return ProgramBuilder::slots(((thread - 1) * kept + static_cast<uint32_t>(round % kept)) * batch, batch);
  };
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      if (round >= kept) program.free(thread, blocks(thread, round));
      program.malloc(thread, blocks(thread, round), program.sizes(kSmallest, kLargest));
    }
  }
  for (uint32_t round = 0; round < kept; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      SlotRange half = blocks(thread, round);
      half.half_seed = program.random().below(1000);
      program.free(thread, half);
      program.malloc(thread, half, Value::of(kRefilled));
    }
  }
  for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
    program.free(thread, ProgramBuilder::slots((thread - 1) * kept * batch, kept * batch));
  }
  return program.take();
}

}  // namespace assay
