// Servers: threads that keep many blocks, replace them at random, hand them on, and end.
#include <vector>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {
namespace {

struct Sizes {
  uint64_t low, high;
};

// One turn of each thread: replaces `times` of its `each` blocks, of thread t from slot (t - 1) * each on.
void replace_blocks(ProgramBuilder& program, uint32_t each, uint32_t times, Sizes sizes) {
  for (uint32_t time = 0; time < times; ++time) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      const auto slot = static_cast<uint32_t>((thread - 1) * each + program.random().below(each));
      program.free(thread, ProgramBuilder::slot(slot));
      program.malloc(thread, ProgramBuilder::slot(slot), program.size_between(sizes.low, sizes.high));
    }
  }
}

void fill_blocks(ProgramBuilder& program, uint32_t each, Sizes sizes) {
  for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
    program.malloc(thread, ProgramBuilder::slots((thread - 1) * each, each), program.sizes(sizes.low, sizes.high));
  }
}

void free_blocks(ProgramBuilder& program, uint32_t each) {
  for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
    program.free(thread, ProgramBuilder::slots((thread - 1) * each, each));
  }
}

}  // namespace

// Larson and Krishnan 1998. The blocks of a thread that has ended are its successor's.
Program larson(const WorkloadOptions& options) {
  constexpr Sizes kSizes{8, 1000};
  constexpr uint32_t kReplacements = 40;
  ProgramBuilder program(options);
  const uint32_t each = program.slots_each(64);
  // The first generation was allocated by main.
  program.malloc(0, ProgramBuilder::slots(0, each * program.threads()), program.sizes(kSizes.low, kSizes.high));
  for (uint64_t round = 0; round < options.rounds; ++round) {
    replace_blocks(program, each, kReplacements, kSizes);
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) program.thread_exit(thread);
  }
  program.free(0, ProgramBuilder::slots(0, each * program.threads()));
  return program.take();
}

// Blocks pass between threads by exchanges of their owners, and some threads end with their blocks live.
Program mstress(const WorkloadOptions& options) {
  constexpr Sizes kMostSizes{8, 512}, kSomeSizes{8, 1 << 16};
  constexpr uint32_t kTurns = 20, kOneLargeIn = 16, kOneSwapIn = 4, kOneExitIn = 8;
  ProgramBuilder program(options);
  const uint32_t each = program.slots_each(32);
  std::vector<uint32_t> owners(size_t{each} * program.threads());
  for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
    const uint32_t first = (thread - 1) * each;
    program.malloc(thread, ProgramBuilder::slots(first, each), program.sizes(kMostSizes.low, kMostSizes.high));
    for (uint32_t i = 0; i < each; ++i) owners[first + i] = thread;
  }
  for (uint64_t turn = 0; turn < options.rounds * kTurns; ++turn) {
    for (uint32_t step = 0; step < program.threads(); ++step) {
      const auto slot = static_cast<uint32_t>(program.random().below(owners.size()));
      const uint32_t owner = owners[slot];
      if (program.random().one_in(kOneSwapIn)) {
        owners[slot] = static_cast<uint32_t>(program.random().between(1, program.threads()));
        program.check(owners[slot], ProgramBuilder::slot(slot));
        continue;
      }
      const Sizes& sizes = program.random().one_in(kOneLargeIn) ? kSomeSizes : kMostSizes;
      const Value size = program.size_between(sizes.low, sizes.high);
      program.free(owner, ProgramBuilder::slot(slot));
      if (program.random().one_in(4)) {
        program.calloc(owner, ProgramBuilder::slot(slot), size);
      } else {
        program.malloc(owner, ProgramBuilder::slot(slot), size);
      }
    }
    // Its blocks are the next thread's of that number.
    if (program.random().one_in(kOneExitIn)) {
      program.thread_exit(static_cast<uint32_t>(program.random().between(1, program.threads())));
    }
  }
  for (uint32_t slot = 0; slot < owners.size(); ++slot) program.free(owners[slot], ProgramBuilder::slot(slot));
  return program.take();
}

Program mixed(const WorkloadOptions& options) {
  constexpr Sizes kSizes{1, 4096};
  ProgramBuilder program(options);
  const uint32_t each = program.slots_each(32);
  fill_blocks(program, each, kSizes);
  replace_blocks(program, each, static_cast<uint32_t>(options.rounds), kSizes);
  free_blocks(program, each);
  return program.take();
}

}  // namespace assay
