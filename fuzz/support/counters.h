// The coverage counters of this process: how many there are, whose code they count, and which were ever hit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay::fuzz {

struct CounterCensus {
  size_t allocator = 0;                 // counters in the subject's own code
  size_t foreign = 0;                   // counters anywhere else: harness, decoder, validators
  const void* first_foreign = nullptr;  // an address of one, for the message
};

// Asks `owns_code` for the code address of each counter.
CounterCensus count_counters(bool (*owns_code)(const void* pc));

// Marks in `seen` each counter that is not zero now.
void mark_seen(std::span<const uint8_t> counters, uint8_t* seen);

}  // namespace assay::fuzz
