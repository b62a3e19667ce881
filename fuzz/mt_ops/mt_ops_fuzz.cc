// mt_ops: the allocation functions on two to four threads that meet: blocks freed where they were not allocated,
// threads that end and come again, collection and purge beside allocation. Input: a program in the byte form.
// ASSAY_MODE says how the threads run: one call at a time, as the program's schedule says, or all at once.
#include <cstddef>
#include <cstdint>

#include "fuzz/support/entry.h"
#include "fuzz/support/mutator.h"

namespace {

// Raised as the allocator grows: far fewer counters mean that it was not instrumented.
constexpr assay::fuzz::Target kMtOps = {.name = "mt_ops", .counter_floor = 600, .mode = assay::Mode::kFree};

assay::fuzz::Taste taste() {
  return {.threads = true,
          .schedules = assay::fuzz::mode_under_test() == assay::Mode::kSchedule,
          .accesses = assay::fuzz::accesses_are_seen()};
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  assay::fuzz::initialize(kMtOps, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::fuzz::run_one(data, size);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return assay::fuzz::mutate_bytes(data, size, max_size, seed, taste());
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_out_size, unsigned seed) {
  return assay::fuzz::cross_bytes({data1, size1}, {data2, size2}, out, max_out_size, seed, taste());
}
