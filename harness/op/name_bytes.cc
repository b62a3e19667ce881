#include "harness/op/name_bytes.h"

#include <optional>

namespace assay {
namespace {

enum : uint8_t {
  kWide = 128,    // to 191: one of all heaps, from this one minus 128 on; below, one of the usual heaps
  kNewest = 232,  // to 237 and from 248: the one that was made last
  kNull = 238,
  kLiteral = 247,  // one of 16 bits
  kNewestAgain = 248,
};

uint32_t count_of(ArgKind kind) {
  return names_heap(kind) ? kMaxHeaps : kMaxArenas;
}

uint32_t usual_of(ArgKind kind) {
  return names_heap(kind) ? kUsualHeaps : kMaxArenas;
}

bool is_newest(uint8_t byte) {
  return (byte >= kNewest && byte < kNull) || byte >= kNewestAgain;
}

}  // namespace

bool read_name(ByteReader& reader, ArgKind kind, const LiveNames& live, Value& name) {
  const uint8_t byte = reader.u8();
  if (byte == kLiteral) {
    name = Value::of(reader.little_endian(2) % count_of(kind));
    return true;
  }
  const uint32_t range = byte < kWide ? usual_of(kind) : count_of(kind);
  const uint32_t from = byte % range;
  if (is_made(kind)) {
    name = Value::of(live.next_empty(kind, from, range).value_or(from));
    return true;
  }
  if (byte == kNull) {
    name = Value::of(kNoName);
    return true;
  }
  const std::optional<uint32_t> newest = is_newest(byte) ? live.newest(kind) : std::nullopt;
  const std::optional<uint32_t> found = newest ? newest : live.next_live(kind, is_newest(byte) ? 0 : from);
  if (found) name = Value::of(*found);
  return found.has_value();
}

void write_name(const Value& name, ArgKind kind, const LiveNames& live, std::vector<uint8_t>& out) {
  const uint64_t number = name.low;
  if (number == kNoName) {
    out.push_back(kNull);
  } else if (live.is_live(kind, number) == is_made(kind)) {
    out.push_back(kLiteral);
    out.push_back(static_cast<uint8_t>(number));
    out.push_back(static_cast<uint8_t>(number >> 8));
  } else {
    out.push_back(static_cast<uint8_t>(number < usual_of(kind) ? number : kWide + number));
  }
}

}  // namespace assay
