// Bytes to a program. Total: every byte string is one. docs/program_syntax.md describes the byte form.
#pragma once

#include <cstdint>
#include <span>

#include "harness/op/program.h"

namespace assay {

// Never fails and never asks for more than the caps: what lies beyond kMaxBytes is not read, and the program ends
// before the operation that would pass kMaxOperations.
Program decode(std::span<const uint8_t> bytes);

// The same into a program whose memory is used again; what it held before is gone.
void decode_into(std::span<const uint8_t> bytes, Program& program);

}  // namespace assay
