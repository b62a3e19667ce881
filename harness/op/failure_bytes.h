// The system calls that fail in an operation, in the byte form: one byte says which or none, and the common ones need
// no more. See docs/program_syntax.md for the table.
#pragma once

#include <cstdint>
#include <vector>

#include "failpoints/plan.h"
#include "harness/op/byte_reader.h"

namespace assay {

void read_failures(ByteReader& reader, std::vector<Failure>& failures);
// Writes the shortest form that read_failures() turns back into `failures`.
void write_failures(const std::vector<Failure>& failures, std::vector<uint8_t>& out);

}  // namespace assay
