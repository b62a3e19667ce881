// The schedule in the byte form: behind each operation a byte, most values of which say that nothing happens in it.
// Only programs that begin with the mark have them. See docs/program_syntax.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/op/byte_reader.h"
#include "harness/op/program.h"

namespace assay {

// Bytes that the mark takes at the beginning of `bytes`, 0 when there is none.
size_t read_schedule_mark(std::span<const uint8_t> bytes);
void write_schedule_mark(std::vector<uint8_t>& out);

// Reads the events of one operation. They are raw: what threads there are is known at the program's end
// (aim_schedule()).
void read_events(ByteReader& reader, std::vector<AccessEvent>& events);
void write_events(const std::vector<AccessEvent>& events, std::vector<uint8_t>& out);

}  // namespace assay
