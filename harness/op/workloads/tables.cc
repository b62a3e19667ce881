// What many threads fill together: a symbol table, buffers that one thread consumes.
#include <algorithm>
#include <array>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {

// That two operations on a bucket's slot wait for each other is the bucket's lock.
Program bucketed_intern(const WorkloadOptions& options) {
  constexpr uint32_t kBuckets = 128;
  constexpr uint64_t kLine = 64;  // bytes
  ProgramBuilder program(options);
  program.aligned_alloc(0, ProgramBuilder::slots(0, kBuckets), kLine, Value::of(kLine));
  std::array<uint64_t, kBuckets> strings{};
  const uint64_t inserts = std::min<uint64_t>(options.rounds * program.threads(), kMaxTextSlots - kBuckets);
  for (uint64_t insert = 0; insert < inserts; ++insert) {
    const auto thread = static_cast<uint32_t>(1 + insert % program.threads());
    // One symbol in four hashes to the hot bucket.
    const auto bucket = program.random().one_in(4) ? 0 : static_cast<uint32_t>(program.random().below(kBuckets));
    program.check(thread, ProgramBuilder::slot(bucket));
    program.malloc(thread, ProgramBuilder::slot(kBuckets + static_cast<uint32_t>(insert)), program.size_between(4, 48));
    const uint64_t count = ++strings[bucket];
    const bool full = count >= kLine / sizeof(void*) && (count & (count - 1)) == 0;
    if (full) program.realloc(thread, ProgramBuilder::slot(bucket), Value::of(2 * count * sizeof(void*)));
  }
  if (inserts > 0) program.free(0, ProgramBuilder::slots(kBuckets, static_cast<uint32_t>(inserts)));
  program.free(0, ProgramBuilder::slots(0, kBuckets));
  return program.take();
}

Program bulk_two_phase(const WorkloadOptions& options) {
  constexpr uint64_t kFirstBytes = 64, kLastBytes = uint64_t{64} << 10;
  ProgramBuilder program(options);
  const uint32_t each = program.slots_each(16);
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint64_t bytes = kFirstBytes; bytes <= kLastBytes; bytes *= 2) {
      for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
        const uint32_t first = (thread - 1) * each;
        if (bytes == kFirstBytes) {
          program.malloc(thread, ProgramBuilder::slots(first, each), Value::of(bytes));
          continue;
        }
        // Chunks are of different lengths: each doubling has fewer buffers left to double.
        const auto growing = static_cast<uint32_t>(program.random().between(0, each));
        if (growing > 0) program.realloc(thread, ProgramBuilder::slots(first, growing), Value::of(bytes));
      }
    }
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.check(0, ProgramBuilder::slots((thread - 1) * each, each));
      program.free(0, ProgramBuilder::slots((thread - 1) * each, each));
    }
  }
  return program.take();
}

}  // namespace assay
