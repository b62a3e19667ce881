// Whether a Program is well-formed. The parser, the decoder, the mutator and the generator only make programs that are;
// callers check after every transformation and treat a fault as a bug of the harness.
#pragma once

#include <optional>
#include <string>

#include "harness/op/program.h"

namespace assay {

struct Caps {
  uint32_t slots;
  uint32_t threads;
  uint64_t operations;
  uint64_t accesses;  // the last one of an operation that a schedule can name
  uint64_t events;    // of a schedule in one line; and how much older a stale value can be
  size_t failures;    // of one operation
};
inline constexpr Caps kByteCaps = {kMaxSlots, kMaxThreads, kMaxOperations, 65535, 255, kMaxFailuresInBytes};
inline constexpr Caps kTextCaps = {kMaxTextSlots, kMaxTextThreads, ~uint64_t{0},
                                   ~uint64_t{0},  ~uint64_t{0},    kMaxFailures};

// What is wrong with `program`, naming the line, or nothing when it is well-formed and within `caps`.
std::optional<std::string> validate(const Program& program, const Caps& caps = kByteCaps);

}  // namespace assay
