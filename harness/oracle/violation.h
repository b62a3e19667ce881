// What an oracle says when a promise was broken. A plain value without heap memory: it is made while the subject's heap
// is broken, and travels through shared memory to the process that reports it.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

enum class Oracle : uint8_t {
  kNone,
  kOverlap,
  kOutside,
  kContents,
  kZeroing,
  kAlignment,
  kUsableSize,
  kNullErrno,
  kFootprint,
  kStructure,
  kFork,
  kOwnership,
  kCrash,
  kAbort,
  kExit,
  kHang,
  kSanitizer,
  kSeam,
  kDivergence,
  kWalk,
  kArena,
  kStatistics,
  kOption,
};
std::string_view name(Oracle oracle);        // "overlap", "null_errno", ...
Oracle oracle_named(std::string_view name);  // kNone when there is none

inline constexpr uint64_t kNoOperation = ~uint64_t{0};

struct Violation {
  Oracle oracle = Oracle::kNone;
  uint64_t line = kNoOperation;  // operation that was running; kNoOperation: the end of the program
  uint64_t member = 0;
  uint8_t op_code = 255;    // OpCode of it, 255 for end()
  char sentence[256] = {};  // "block p3 lost its contents at offset 17"
  char expected[256] = {};
  char seen[256] = {};
  // The block that suffered, where there is one.
  uint64_t victim_slot = kNoOperation;
  uint64_t victim_allocated_line = kNoOperation, victim_allocated_member = 0;
  uint64_t victim_freed_line = kNoOperation, victim_freed_member = 0;
  uint64_t victim_address = 0, victim_requested = 0, victim_usable = 0;
  char frame[128] = {};  // innermost frame in the subject of a crash, "" otherwise

  explicit operator bool() const { return oracle != Oracle::kNone; }
};

}  // namespace assay
