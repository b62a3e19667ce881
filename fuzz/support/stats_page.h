// What a fuzz process tells whoever drives it, in a file that both map: figures for the live line, and the programs
// that came before a find, which must outlive the process. One page a process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "fuzz/support/recent_programs.h"
#include "harness/exec/outcome_counters.h"
#include "harness/exec/run.h"

namespace assay::fuzz {

inline constexpr uint64_t kStatsMagic = 0x34737461'79617373;
inline constexpr size_t kMaxCounters = size_t{1} << 16;
inline constexpr size_t kMaxSettled = 256;

struct KeptProgram {
  uint32_t size = 0;  // kTooLong: it did not fit
  uint8_t bytes[8 * 1024] = {};

  void keep(std::span<const uint8_t> program);
};
inline constexpr uint32_t kTooLong = ~uint32_t{0};

// Plain words, written by one process and read by another that can do with a value that is a moment old.
struct StatsPage {
  uint64_t magic = kStatsMagic;
  volatile uint64_t programs = 0;
  volatile uint64_t executed = 0;
  volatile uint64_t skipped = 0;
  volatile uint64_t preemptions = 0;
  volatile uint64_t executed_by_op[kOpKinds] = {};
  volatile uint64_t tolerated = 0;  // violations whose token was settled
  volatile uint64_t allocator_counters = 0;
  volatile uint64_t uses_extra_counters = 0;
  uint8_t counters_seen[kMaxCounters] = {};  // by counter: ever hit
  uint8_t extra_seen[kOutcomeCounters] = {};
  // Tokens, as a fuzz run computes them, that the driver has heard of often enough; written by the driver.
  std::atomic<uint64_t> settled_count{0};
  uint64_t settled[kMaxSettled] = {};
  // The token of the violation that ended the process, "" where it was a signal.
  char last_token[256] = {};
  RecentPrograms recent;  // of this process; only where the subject cannot be reset
  // Of an engine that goes on by itself after a find, AFL++: whether a program runs, and which; and that one was died
  // of, so that token and programs are kept as they are until the driver starts the engine again.
  volatile uint64_t in_program = 0;
  volatile uint64_t evidence_held = 0;
  KeptProgram current;

  bool is_settled(uint64_t token_hash) const;
  void settle(uint64_t token_hash);
  void keep_recent(std::span<const uint8_t> program);
};

uint64_t token_hash(std::string_view token);

// The page in `path`, made when it is missing; memory of our own for "". Null where it cannot be mapped (errno says
// why).
StatsPage* map_stats(const std::string& path);
void unmap_stats(StatsPage* page);

}  // namespace assay::fuzz
