// Blocks that one thread allocates and another one frees.
#include <algorithm>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {

// Lever and Boreham 2000. A single thread has main as its consumer.
Program xmalloc(const WorkloadOptions& options) {
  constexpr uint32_t kBatches = 4;  // under way from each producer
  ProgramBuilder program(options);
  const uint32_t producers = std::max(program.threads() / 2, 1u);
  const uint32_t batch = std::max(program.slots_each(64) / kBatches, 1u);
  const auto blocks = [&](uint32_t producer, uint64_t round) {
    const auto place = static_cast<uint32_t>(round % kBatches);
    return ProgramBuilder::slots(((producer - 1) * kBatches + place) * batch, batch);
  };
  const uint32_t consumers = program.threads() - producers;
  const auto consumer = [&](uint32_t producer, uint64_t round) {
    return consumers == 0 ? 0 : producers + 1 + static_cast<uint32_t>((producer + round) % consumers);
  };
  for (uint64_t round = 0; round < options.rounds + kBatches; ++round) {
    for (uint32_t producer = 1; producer <= producers; ++producer) {
      // What was made kBatches rounds ago has been consumed before its slots are needed.
      if (round >= kBatches) program.free(consumer(producer, round), blocks(producer, round - kBatches));
      if (round < options.rounds) program.malloc(producer, blocks(producer, round), program.sizes(8, 512));
    }
  }
  return program.take();
}

// A message a slot; several are under way at a time.
Program xpipe(const WorkloadOptions& options) {
  constexpr uint32_t kUnderWay = 16;
  ProgramBuilder program(options);
  const uint32_t stages = program.threads();
  for (uint64_t tick = 0; tick < options.rounds + stages; ++tick) {
    // Message m is at stage tick - m + 1; the last stage first, which makes room.
    for (uint32_t stage = stages; stage >= 1; --stage) {
      if (tick + 1 < stage || tick + 1 - stage >= options.rounds) continue;
      const uint64_t message = tick + 1 - stage;
      const auto slot = ProgramBuilder::slot(static_cast<uint32_t>(message % (stages + kUnderWay)));
      if (stage == 1) {
        program.malloc(stage, slot, program.size_between(16, 256));
      } else if (stage < stages) {
        program.realloc(stage, slot, program.size_between(16 * stage, 256 * stage));
      }
      if (stage == stages) program.free(stage, slot);
    }
  }
  return program.take();
}

Program xring(const WorkloadOptions& options) {
  constexpr uint32_t kTokensEach = 4;
  ProgramBuilder program(options);
  const uint32_t tokens = program.threads() * kTokensEach;
  program.malloc(0, ProgramBuilder::slots(0, tokens), program.sizes(16, 1024));
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t token = 0; token < tokens; ++token) {
      const auto station = static_cast<uint32_t>(1 + (round + token) % program.threads());
      program.free(station, ProgramBuilder::slot(token));
      program.malloc(station, ProgramBuilder::slot(token), program.size_between(16, 1024));
    }
  }
  program.free(0, ProgramBuilder::slots(0, tokens));
  return program.take();
}

}  // namespace assay
