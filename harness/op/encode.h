// A program to bytes: the inverse of decode(), decode(encode(p)) == p.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/op/program.h"

namespace assay {

// Throws InputError, which says what is too much, when the program does not fit into the caps of the byte form.
std::vector<uint8_t> encode(const Program& program);

// For engines with a limit of their own: the longest beginning of the program that fits into `max_bytes`, which is cut
// down to it. Needs a program that is well-formed within the caps of the byte form.
std::vector<uint8_t> encode_beginning(Program& program, size_t max_bytes);

}  // namespace assay
