// A fuzz target that was itself compiled with coverage: it must refuse to start, since the engine would chase the
// harness's own branches.
#include <cstddef>
#include <cstdint>

#include "fuzz/support/entry.h"

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  assay::fuzz::initialize({.name = "foreign", .counter_floor = 1}, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) {
  return 0;
}
