#include "tools/foreign_coverage.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace {

constexpr size_t kMostModules = 64;
constexpr size_t kMostGuards = size_t{1} << 17;

// What inline-8bit-counters makes of each library.
struct Module {
  uint8_t* begin;
  uint8_t* end;
};
Module modules[kMostModules];
size_t module_count = 0;

// Of trace-pc-guard a guard has a number, from 1 on; of trace-pc an address falls into a place.
uint8_t guards[kMostGuards];
uint32_t guard_count = 0;
uint8_t places[kMostGuards];
uintptr_t first_pc = 0;

void count(uint8_t& counter) {
  if (counter != 255) ++counter;
}

}  // namespace

// Called by the instrumented code, at any moment, on any thread: no memory, no locks.
extern "C" {

void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end) {
  if (begin == end || module_count == kMostModules) return;
  for (size_t i = 0; i < module_count; ++i) {
    if (modules[i].begin == begin) return;
  }
  modules[module_count++] = {begin, end};
}

void __sanitizer_cov_pcs_init(const uintptr_t*, const uintptr_t*) {}

void __sanitizer_cov_trace_pc_guard_init(uint32_t* begin, uint32_t* end) {
  if (begin == end || *begin != 0) return;
  for (uint32_t* guard = begin; guard < end; ++guard) *guard = guard_count + 1 < kMostGuards ? ++guard_count : 0;
}

void __sanitizer_cov_trace_pc_guard(const uint32_t* guard) {
  count(guards[*guard]);
}

void __sanitizer_cov_trace_pc() {
  const auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  // Distances within a library are the same in each process.
  if (first_pc == 0) first_pc = pc;
  uint8_t& place = places[(pc - first_pc) % kMostGuards];
  count(place);
}

// Values of comparisons are not used.
void __sanitizer_cov_trace_pc_indir(uintptr_t) {}
void __sanitizer_cov_trace_cmp1(uint8_t, uint8_t) {}
void __sanitizer_cov_trace_cmp2(uint16_t, uint16_t) {}
void __sanitizer_cov_trace_cmp4(uint32_t, uint32_t) {}
void __sanitizer_cov_trace_cmp8(uint64_t, uint64_t) {}
void __sanitizer_cov_trace_const_cmp1(uint8_t, uint8_t) {}
void __sanitizer_cov_trace_const_cmp2(uint16_t, uint16_t) {}
void __sanitizer_cov_trace_const_cmp4(uint32_t, uint32_t) {}
void __sanitizer_cov_trace_const_cmp8(uint64_t, uint64_t) {}
void __sanitizer_cov_trace_switch(uint64_t, uint64_t*) {}
void __sanitizer_cov_trace_div4(uint32_t) {}
void __sanitizer_cov_trace_div8(uint64_t) {}
void __sanitizer_cov_trace_gep(uintptr_t) {}
}

namespace assay {
namespace {

class Adder {
 public:
  explicit Adder(OutcomeCounters::Cells& cells) : cells_(cells) {}

  void add(const uint8_t* begin, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      if (begin[i] != 0) add_one(number_ + i, begin[i]);
    }
    number_ += size;
  }

 private:
  void add_one(uint64_t number, uint8_t hits) {
    // Fibonacci hashing, from another start than that of the outcomes.
    const uint64_t key = (number + (uint64_t{1} << 32)) * 0x9E3779B97F4A7C15u;
    uint8_t& cell = cells_[key >> (64 - std::bit_width(kOutcomeCounters - 1))];
    cell = static_cast<uint8_t>(std::min(255, cell + hits));
  }

  OutcomeCounters::Cells& cells_;
  uint64_t number_ = 0;
};

}  // namespace

size_t foreign_counters() {
  size_t sum = guard_count;
  for (size_t i = 0; i < module_count; ++i) sum += static_cast<size_t>(modules[i].end - modules[i].begin);
  if (first_pc != 0) sum += static_cast<size_t>(std::ranges::count_if(places, [](uint8_t hits) { return hits != 0; }));
  return sum;
}

void clear_foreign_counters() {
  for (size_t i = 0; i < module_count; ++i) {
    std::memset(modules[i].begin, 0, static_cast<size_t>(modules[i].end - modules[i].begin));
  }
  if (guard_count != 0) std::memset(guards, 0, guard_count + 1);
  if (first_pc != 0) std::memset(places, 0, sizeof places);
}

void add_foreign_counters(OutcomeCounters::Cells& cells) {
  Adder adder(cells);
  for (size_t i = 0; i < module_count; ++i) {
    adder.add(modules[i].begin, static_cast<size_t>(modules[i].end - modules[i].begin));
  }
  if (guard_count != 0) adder.add(guards + 1, guard_count);
  if (first_pc != 0) adder.add(places, sizeof places);
}

}  // namespace assay
