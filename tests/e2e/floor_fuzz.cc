// A fuzz target that wants more counters than any allocator has: it must refuse to start.
#include <cstddef>
#include <cstdint>

#include "fuzz/support/entry.h"

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  assay::fuzz::initialize({.name = "floor", .counter_floor = 1'000'000}, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) {
  return 0;
}
