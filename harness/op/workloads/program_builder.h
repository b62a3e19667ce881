// Writes a program line by line.
#pragma once

#include <cstdint>

#include "harness/op/program.h"
#include "harness/op/random.h"
#include "harness/op/workloads/workload.h"

namespace assay {

class ProgramBuilder {
 public:
  explicit ProgramBuilder(const WorkloadOptions& options) : threads_(options.threads), random_(options.seed) {}

  // Threads besides t0 are t1 to this one.
  uint32_t threads() const { return threads_; }
  Random& random() { return random_; }

  // So many slots for each thread, but no more than there are.
  uint32_t slots_each(uint32_t wanted) const;

  static SlotRange slots(uint32_t first, uint32_t count) { return {.first = first, .last = first + count - 1}; }
  static SlotRange slot(uint32_t number) { return slots(number, 1); }
  // An interval of sizes; each member of a range draws its own, a single block one.
  Value sizes(uint64_t low, uint64_t high);
  Value size_between(uint64_t low, uint64_t high) { return Value::of(random_.between(low, high)); }

  void malloc(uint32_t thread, SlotRange to, Value size);
  void calloc(uint32_t thread, SlotRange to, Value size);
  void aligned_alloc(uint32_t thread, SlotRange to, uint64_t alignment, Value size);
  void realloc(uint32_t thread, SlotRange block, Value size);
  void free(uint32_t thread, SlotRange blocks);
  void check(uint32_t thread, SlotRange blocks);
  void thread_exit(uint32_t thread);

  Program take() { return std::move(program_); }

 private:
  void add(OpCode code, uint32_t thread, std::optional<SlotRange> result, std::optional<SlotRange> slot,
           std::array<Value, kMaxArgs> args);

  uint32_t threads_;
  Random random_;
  Program program_;
};

}  // namespace assay
