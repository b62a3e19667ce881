// Numeric arguments in the byte form: one byte says which number it is or how many bytes follow. Noise gives the sizes
// and alignments at which allocators break: mostly small ones, every size class and its neighbours, the borders between
// kinds of pages, powers of two, the largest sizes. See docs/program_syntax.md for the table.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/op/byte_reader.h"
#include "harness/op/program.h"

namespace assay {

Value read_value(ByteReader& reader, ArgKind kind);
// Writes the shortest form that read_value() turns back into `value`.
void write_value(const Value& value, ArgKind kind, std::vector<uint8_t>& out);

// Borders of the sizes: 64 classes to 8 KiB and 64 more to 2 MiB, eight to a doubling above 128 bytes.
inline constexpr uint32_t kSizeClasses = 128;
uint64_t size_class(uint32_t index);
// What the one byte of an alignment, a count or a time without further bytes stands for (byte < 248).
uint64_t direct_number(ArgKind kind, uint8_t byte);

}  // namespace assay
