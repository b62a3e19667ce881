// Slots in the byte form. Most bytes name a slot and mean the first one from there on that suits the operation, a live
// one to take or an empty one to fill: so noise keeps hitting live blocks, and a change to one operation moves few
// others. What the guess about live blocks does not suit has a longer, literal form. See docs/program_syntax.md for the
// table.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/op/byte_reader.h"
#include "harness/op/live_slots.h"
#include "harness/op/program.h"

namespace assay {

// The slots that an operation takes; nothing means NULL. False when the bytes ask for a live block and there is none:
// then the caller makes the operation another one. (Results go into place, a copy of them shows in the decoder's
// speed.)
bool read_taken(ByteReader& reader, const LiveSlots& live, std::optional<SlotRange>& taken);
void write_taken(const std::optional<SlotRange>& range, const LiveSlots& live, std::vector<uint8_t>& out);

// The slots that an operation fills.
void read_filled(ByteReader& reader, const LiveSlots& live, SlotRange& filled);
void write_filled(const SlotRange& range, const LiveSlots& live, std::vector<uint8_t>& out);

// The slots to which an operation moves what it takes from `taken`; as many as there.
void read_moved(ByteReader& reader, const LiveSlots& live, const SlotRange& taken, SlotRange& moved);
void write_moved(const SlotRange& range, const LiveSlots& live, const SlotRange& taken, std::vector<uint8_t>& out);

}  // namespace assay
