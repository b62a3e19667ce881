// Blocks that live for a moment.
#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {

Program pairs(const WorkloadOptions& options) {
  constexpr uint64_t kBytes = 48;
  ProgramBuilder program(options);
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.malloc(thread, ProgramBuilder::slot(thread), Value::of(kBytes));
      program.free(thread, ProgramBuilder::slot(thread));
    }
  }
  return program.take();
}

// Berger's cache-scratch: the blocks that main hands out lie on one cache line, and an allocator that gives them back
// to the threads that freed them keeps it so.
Program cache_scratch(const WorkloadOptions& options) {
  constexpr uint64_t kBytes = 8;
  ProgramBuilder program(options);
  program.malloc(0, ProgramBuilder::slots(1, program.threads()), Value::of(kBytes));
  for (uint32_t thread = 1; thread <= program.threads(); ++thread) program.free(thread, ProgramBuilder::slot(thread));
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.malloc(thread, ProgramBuilder::slot(thread), Value::of(kBytes));
    }
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.check(thread, ProgramBuilder::slot(thread));
      program.free(thread, ProgramBuilder::slot(thread));
    }
  }
  return program.take();
}

}  // namespace assay
