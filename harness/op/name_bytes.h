// Heaps and arenas in the byte form: most bytes mean the first one from there on that suits, as with slots. See
// docs/program_syntax.md for the table.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/op/byte_reader.h"
#include "harness/op/live_names.h"
#include "harness/op/program.h"

namespace assay {

// False when the bytes ask for one that there is, and there is none: then the caller makes the operation another one.
bool read_name(ByteReader& reader, ArgKind kind, const LiveNames& live, Value& name);
void write_name(const Value& name, ArgKind kind, const LiveNames& live, std::vector<uint8_t>& out);

}  // namespace assay
