// heap_api: heaps that a program makes, arenas, options and statistics, with the allocation functions around them.
// Input: a program in the byte form, which is about heaps. Most have up to 8 heaps at a time; one that has more goes on
// to 64.
#include <cstddef>
#include <cstdint>

#include "fuzz/support/entry.h"
#include "fuzz/support/mutator.h"

namespace {

// Raised as the allocator grows: far fewer counters mean that it was not instrumented.
constexpr assay::fuzz::Target kHeapApi = {.name = "heap_api", .counter_floor = 600};

assay::fuzz::Taste taste() {
  const bool schedules = assay::fuzz::mode_under_test() == assay::Mode::kSchedule;
  return {.threads = assay::fuzz::mode_under_test() != assay::Mode::kSequential,
          .schedules = schedules,
          .accesses = assay::fuzz::accesses_are_seen(),
          .heaps = true};
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  assay::fuzz::initialize(kHeapApi, *argv);
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
