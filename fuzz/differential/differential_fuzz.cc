// differential: one program on several allocators, their answers compared step by step. Input: a program in the byte
// form.
#include <cstddef>
#include <cstdint>

#include "fuzz/differential/lockstep.h"
#include "fuzz/support/entry.h"
#include "fuzz/support/mutator.h"

namespace {

std::unique_ptr<assay::ComparedSubjects> open_list(const std::string& list) {
  return assay::open_beside(list);
}

// Raised as the allocator grows: far fewer counters mean that it was not instrumented.
constexpr assay::fuzz::Target kDifferential = {
    .name = "differential", .counter_floor = 600, .subject = ASSAY_DIFFERENTIAL_SUBJECTS, .open_list = open_list};

constexpr assay::fuzz::Taste kTaste = {.few_heaps = true};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  assay::fuzz::initialize(kDifferential, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::fuzz::run_one(data, size);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return assay::fuzz::mutate_bytes(data, size, max_size, seed, kTaste);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_out_size, unsigned seed) {
  return assay::fuzz::cross_bytes({data1, size1}, {data2, size2}, out, max_out_size, seed, kTaste);
}
