#include "harness/op/slot_bytes.h"

#include <algorithm>
#include <utility>

namespace assay {
namespace {

enum : uint8_t {
  kWanted = 0,          // to 231: this slot or the next that suits
  kNewest = 232,        // to 237 and from 248: the block filled last; the lowest empty slot
  kNull = 238,          // NULL where a slot is taken, else as kNewest
  kShortRange = 239,    // to 242: first, length - 2 below 32
  kHalfRange = 243,     // first, length - 2, seed of half
  kLongRange = 244,     // to 245: first, length - 2
  kLiteralRange = 246,  // guard, first, last, step (16 bits each), 1 and a seed of 64 bits, or 0
  kLiteral = 247,       // a slot of 16 bits
  kNewestAgain = 248,
};
constexpr uint32_t kWantedSlots = 232;
constexpr uint32_t kShortLength = 33;
constexpr uint32_t kLongLength = 257;
// Behind kLiteralRange, so that noise does not take hundreds of empty slots.
constexpr uint8_t kGuard = 0xa5;

// Where something moves: first bytes below this leave it in its slot, those from here to 231 name an empty slot.
constexpr uint8_t kMovedElsewhere = 160;

void set_one(SlotRange& range, uint32_t slot) {
  range.first = range.last = slot;
}

// What an operation looks for: live slots to take, or empty ones to fill.
std::optional<uint32_t> next(const LiveSlots& live, uint32_t from, bool taken) {
  return taken ? live.next_live(from) : live.next_empty(from);
}

void read_literal_range(ByteReader& reader, SlotRange& range) {
  range.first = static_cast<uint32_t>(reader.little_endian(2)) % kMaxSlots;
  range.last = static_cast<uint32_t>(reader.little_endian(2)) % kMaxSlots;
  range.step = std::max<uint32_t>(1, static_cast<uint32_t>(reader.little_endian(2)));
  if (range.last < range.first) std::swap(range.first, range.last);
  if (reader.u8() & 1) range.half_seed = reader.little_endian(8);
  range.normalise();
}

// A range of slots that suit without a gap, from the first that does; cut short at the first that does not.
void read_run(ByteReader& reader, uint8_t form, const LiveSlots& live, bool taken, SlotRange& range) {
  const uint32_t wanted = reader.u8();
  const uint32_t length_byte = reader.u8();
  const uint32_t length = 2 + (form < kHalfRange ? length_byte % (kShortLength - 1) : length_byte);
  range.first = next(live, wanted, taken).value_or(wanted);
  range.last = range.first + std::max<uint32_t>(1, live.run(range.first, length, taken)) - 1;
  if (form == kHalfRange) range.half_seed = reader.u8();
  range.normalise();
}

// All forms but kNull. `range` is as a new one is.
void read_slots(ByteReader& reader, uint8_t form, const LiveSlots& live, bool taken, SlotRange& range) {
  if (form == kLiteralRange) {
    const size_t back = reader.position();
    if (reader.u8() == kGuard) return read_literal_range(reader, range);
    reader.seek(back);
    form = reader.u8() % kWantedSlots;
  }
  if (form < kWantedSlots) {
    set_one(range, next(live, form, taken).value_or(form));
  } else if (form == kLiteral) {
    set_one(range, static_cast<uint32_t>(reader.little_endian(2)) % kMaxSlots);
  } else if (form >= kShortRange && form <= kLongRange + 1) {
    read_run(reader, form, live, taken, range);
  } else {
    const std::optional<uint32_t> newest = taken ? live.newest() : std::nullopt;
    set_one(range, newest ? *newest : next(live, 0, taken).value_or(0));
  }
}

void push16(uint32_t number, std::vector<uint8_t>& out) {
  out.push_back(static_cast<uint8_t>(number));
  out.push_back(static_cast<uint8_t>(number >> 8));
}

void write_literal_range(const SlotRange& range, std::vector<uint8_t>& out) {
  out.push_back(kLiteralRange);
  out.push_back(kGuard);
  push16(range.first, out);
  push16(range.last, out);
  push16(range.step, out);
  out.push_back(range.half_seed ? 1 : 0);
  if (!range.half_seed) return;
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<uint8_t>(*range.half_seed >> shift));
}

void write_slots(const SlotRange& range, const LiveSlots& live, bool taken, std::vector<uint8_t>& out) {
  if (range.single()) {
    if (range.first < kWantedSlots && live.is_live(range.first) == taken) {
      out.push_back(static_cast<uint8_t>(kWanted + range.first));
    } else {
      out.push_back(kLiteral);
      push16(range.first, out);
    }
    return;
  }
  const bool short_seed = !range.half_seed || *range.half_seed <= 255;
  const uint64_t length = range.span();
  if (range.step != 1 || range.first > 255 || length > kLongLength || !short_seed || !live.all(range, taken)) {
    write_literal_range(range, out);
    return;
  }
  out.push_back(range.half_seed ? kHalfRange : length <= kShortLength ? kShortRange : kLongRange);
  out.push_back(static_cast<uint8_t>(range.first));
  out.push_back(static_cast<uint8_t>(length - 2));
  if (range.half_seed) out.push_back(static_cast<uint8_t>(*range.half_seed));
}

bool is_literal(uint8_t form) {
  return form == kLiteralRange || form == kLiteral;
}

}  // namespace

bool read_taken(ByteReader& reader, const LiveSlots& live, std::optional<SlotRange>& taken) {
  const uint8_t form = reader.u8();
  if (form == kNull) return true;
  if (live.none() && !is_literal(form)) return false;
  read_slots(reader, form, live, true, taken.emplace());
  return true;
}

void write_taken(const std::optional<SlotRange>& range, const LiveSlots& live, std::vector<uint8_t>& out) {
  if (range) {
    write_slots(*range, live, true, out);
  } else {
    out.push_back(kNull);
  }
}

void read_filled(ByteReader& reader, const LiveSlots& live, SlotRange& filled) {
  const uint8_t form = reader.u8();
  read_slots(reader, form, live, false, filled);
}

void write_filled(const SlotRange& range, const LiveSlots& live, std::vector<uint8_t>& out) {
  write_slots(range, live, false, out);
}

void read_moved(ByteReader& reader, const LiveSlots& live, const SlotRange& taken, SlotRange& moved) {
  const uint8_t form = reader.u8();
  if (form >= kWantedSlots) {
    read_slots(reader, form, live, false, moved);
  } else if (form >= kMovedElsewhere) {
    set_one(moved, live.next_empty(form - uint32_t{kMovedElsewhere}).value_or(taken.first));
  }
  if (form < kMovedElsewhere || moved.members() != taken.members()) moved = taken;
}

void write_moved(const SlotRange& range, const LiveSlots& live, const SlotRange& taken, std::vector<uint8_t>& out) {
  if (range == taken) {
    out.push_back(0);
  } else if (range.single() && range.first + kMovedElsewhere < kWantedSlots && !live.is_live(range.first)) {
    out.push_back(static_cast<uint8_t>(kMovedElsewhere + range.first));
  } else if (range.single()) {
    out.push_back(kLiteral);
    push16(range.first, out);
  } else {
    write_slots(range, live, false, out);
  }
}

}  // namespace assay
