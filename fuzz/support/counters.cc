#include "fuzz/support/counters.h"

#include <algorithm>
#include <cstring>

// Bounds of what -fsanitize-coverage=…,pc-table emits; the linker makes them, if there is anything.
extern "C" {
extern const uintptr_t __start___sancov_pcs[] __attribute__((weak, visibility("hidden")));
extern const uintptr_t __stop___sancov_pcs[] __attribute__((weak, visibility("hidden")));
}

namespace assay::fuzz {

// What LLVM leaves of the address of a block that it removed after it had given it a counter: code of nobody, which is
// never run.
constexpr uintptr_t kRemovedBlock = 1;

CounterCensus count_counters(bool (*owns_code)(const void* pc)) {
  CounterCensus census;
  // The table holds pairs: an address and its flags.
  for (const uintptr_t* entry = __start___sancov_pcs; entry < __stop___sancov_pcs; entry += 2) {
    const void* pc = reinterpret_cast<const void*>(*entry);
    if (*entry == kRemovedBlock) continue;
    if (owns_code(pc)) {
      ++census.allocator;
    } else {
      ++census.foreign;
      census.first_foreign = pc;
    }
  }
  return census;
}

void mark_seen(std::span<const uint8_t> counters, uint8_t* seen) {
  const uint8_t* from = counters.data();
  const size_t count = counters.size();
  for (size_t i = 0; i < count; ++i) seen[i] = static_cast<uint8_t>(seen[i] | from[i]);
}

}  // namespace assay::fuzz
