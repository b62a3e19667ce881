// libFuzzer runs all programs in one process, keeps the input that the process dies of, and finds all counters by the
// names of their sections.
#include "fuzz/support/engine.h"

#include <cstring>

// Bounds of what -fsanitize-coverage=inline-8bit-counters emits; the linker makes them, if there is anything.
extern "C" {
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
}

namespace assay::fuzz {
namespace {

// Stays zero where the subject has counters of its own.
__attribute__((section("__libfuzzer_extra_counters"))) OutcomeCounters::Cells extra_cells;

}  // namespace

void engine_begins(StatsPage&) {}

OutcomeCounters::Cells& extra_counters() {
  return extra_cells;
}

std::span<const uint8_t> counters() {
  if (__start___sancov_cntrs == nullptr) return {};
  return {__start___sancov_cntrs, static_cast<size_t>(__stop___sancov_cntrs - __start___sancov_cntrs)};
}

void forget_counters() {
  if (__start___sancov_cntrs != nullptr) std::memset(__start___sancov_cntrs, 0, counters().size());
}

void program_begins(StatsPage&, std::span<const uint8_t>) {}
void program_ends(StatsPage&) {}

}  // namespace assay::fuzz
