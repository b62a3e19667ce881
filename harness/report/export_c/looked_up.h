// Calls of functions that only some allocators have, as C statements: looked up by name, and left out where there is
// none.
#pragma once

#include <string>
#include <vector>

#include "harness/op/program.h"

namespace assay {

// Whether the operation's function is one that allocators have beside those that C programs call by name.
bool is_looked_up(OpCode code);

// What the operations of a program need of functions_runtime.h.
enum class Piece : uint8_t {
  kAsked,
  kFilled,
  kAddressOf,
  kMoved,
  kRelease,
  kUsableOf,
  kTold,
  kSource,
  kExpanded,
  kOurs
};
bool needs(OpCode code, Piece piece);

// The slots ("NONE": none) and the other arguments of a call, each as C text, in the operation's order.
struct CallInC {
  std::string to, from;
  std::vector<std::string> numbers;
};
std::string looked_up_call(OpCode code, const CallInC& call);

}  // namespace assay
