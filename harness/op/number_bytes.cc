#include "harness/op/number_bytes.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace assay {
namespace {

// First bytes that mean the same for every kind of number.
enum : uint8_t {
  kLiteral16 = 248,
  kLiteral32 = 249,
  kLiteral64 = 250,
  kShortInterval = 251,  // to 253
  kLongInterval = 254,   // to 255
};
constexpr size_t kDirectBytes = 248;

// First bytes of a size with one more byte behind them; the other ones below 248 are direct.
enum : uint8_t {
  kTwoByteSize = 128,     // to 159: 0 to 8191
  kClassSize = 192,       // to 223: classes below 8 KiB, and their neighbours
  kLargeClassSize = 224,  // to 229: classes to 2 MiB
  kPageKindSize = 230,    // to 231: round the largest block of each kind of page
  kPowerSize = 232,       // to 234: powers of two, and their neighbours
  kLargestSize = 235,     // the largest numbers
  kSignedSize = 236,      // round PTRDIFF_MAX
};
constexpr uint64_t kTwoByteLimit = 8192;
constexpr uint64_t kShortSpan = 4095;
constexpr std::array<uint64_t, 4> kPageKindLimits = {8 << 10, 64 << 10, 512 << 10, 4 << 20};
constexpr std::array<uint64_t, 4> kNeighbours = {0, ~uint64_t{0}, 1, 0};  // what is added, modulo 2^64

bool has_second_byte(ArgKind kind, uint8_t byte) {
  if (kind != ArgKind::kSize) return false;
  return (byte >= kTwoByteSize && byte < kTwoByteSize + 32) || (byte >= kClassSize && byte <= kSignedSize);
}

constexpr uint64_t direct_size(uint8_t byte) {
  if (byte < 64) return byte;
  if (byte < 128) return 64 + 16 * (byte - uint64_t{63});
  if (byte < 192) return 8 * (byte - uint64_t{159});
  return 24 * (byte - uint64_t{236});
}

constexpr uint64_t direct_count(uint8_t byte) {
  constexpr std::array<uint64_t, 8> kOdd = {uint64_t{1} << 32,
                                            uint64_t{1} << 63,
                                            std::numeric_limits<uint64_t>::max() / 2,
                                            std::numeric_limits<uint64_t>::max() / 16 + 2,
                                            0,
                                            65536,
                                            1 << 20,
                                            std::numeric_limits<uint64_t>::max()};
  if (byte < 96) return 1;
  if (byte < 192) return 2 + (byte - uint64_t{96}) % 31;
  if (byte < 208) return uint64_t{1} << (byte - 192);
  if (byte < 240) return 33 + (byte - uint64_t{208});
  return kOdd[byte - 240];
}

constexpr uint64_t direct_alignment(uint8_t byte) {
  constexpr std::array<uint64_t, 8> kIllegal = {
      0, 3, 12, 24, 48, 4097, uint64_t{1} << 63, std::numeric_limits<uint64_t>::max()};
  if (byte < 6) return uint64_t{1} << (byte / 2);
  if (byte < 128) return uint64_t{8} << (byte % 5);
  if (byte < 192) return uint64_t{256} << ((byte - 128) / 8);
  if (byte < 224) return uint64_t{65536} << ((byte - 192) / 4);
  if (byte < 238) return uint64_t{16 << 20} << ((byte - 224) / 2);
  if (byte < 240) return 16;
  return kIllegal[byte - 240];
}

constexpr uint64_t direct_millis(uint8_t byte) {
  constexpr std::array<uint64_t, 16> kTimes = {0,   1,   2,   5,    10,   20,   50,   100,
                                               200, 250, 500, 1000, 1500, 2000, 5000, 10000};
  return kTimes[byte % kTimes.size()];
}

constexpr uint64_t direct_offset(uint8_t byte) {
  if (byte < 64) return byte;
  if (byte < 128) return 8 * (byte - uint64_t{56});
  if (byte < 160) return uint64_t{16} << (byte - 128);
  if (byte < 192) return 4096 * (byte - uint64_t{159});
  return 65536 * (byte - uint64_t{191});
}

constexpr uint64_t direct_small_size(uint8_t byte) {
  if (byte < 128) return byte;
  if (byte < 192) return 16 * (byte - uint64_t{127});
  return kSmallLimit - (byte - uint64_t{192});
}

constexpr uint64_t direct_length(uint8_t byte) {
  if (byte < 128) return byte;
  if (byte < 192) return 16 * (byte - uint64_t{127}) - 1;
  if (byte < 224) return 4096 * (byte - uint64_t{191}) - 1;
  return (uint64_t{512} << ((byte - 224) / 2)) - (byte & 1);
}

// Small arenas fill up soonest; some are no multiple of a slice or too small for one.
constexpr uint64_t direct_arena_size(uint8_t byte) {
  constexpr std::array<uint64_t, 8> kOdd = {0,
                                            1,
                                            65535,
                                            65537,
                                            uint64_t{100} << 30,
                                            uint64_t{1} << 62,
                                            uint64_t{1} << 63,
                                            std::numeric_limits<uint64_t>::max()};
  if (byte < 128) return uint64_t{65536} * (byte + uint64_t{1});
  if (byte < 192) return (uint64_t{1} << 20) * (byte - uint64_t{127});
  if (byte < 224) return uint64_t{65536} * (byte - uint64_t{191}) - 4096;
  if (byte < 240) return uint64_t{65536} * (byte - uint64_t{223}) + 4096;
  return kOdd[byte - 240];
}

// What options take: switches, small counts, milliseconds, bytes, and what none of them takes. -1 is a number, too.
constexpr uint64_t direct_option_value(uint8_t byte) {
  constexpr std::array<uint64_t, 16> kValues = {0,   1,    2,    10,       16,       50,        100,     255,
                                                256, 1000, 5000, 16 << 20, 64 << 20, 256 << 20, 1 << 30, ~uint64_t{0}};
  constexpr std::array<uint64_t, 4> kOdd = {~uint64_t{1}, uint64_t{1} << 62, uint64_t{1} << 63, 1'000'000'001};
  if (byte < 96) return byte & 1;
  if (byte < 240) return kValues[byte % kValues.size()];
  return kOdd[byte % kOdd.size()];
}

// The byte that stands for each number alone, sorted by number; the lowest byte where there are several.
class DirectBytes {
 public:
  explicit DirectBytes(ArgKind kind) {
    for (size_t byte = 0; byte < kDirectBytes; byte++) {
      if (has_second_byte(kind, static_cast<uint8_t>(byte))) continue;
      entries_.emplace_back(direct_number(kind, static_cast<uint8_t>(byte)), static_cast<uint8_t>(byte));
    }
    std::ranges::sort(entries_);
  }

  // True, and the byte written, when there is one for `number`.
  bool write(uint64_t number, std::vector<uint8_t>& out) const {
    const auto found = std::ranges::lower_bound(entries_, number, {}, &Entry::first);
    if (found == entries_.end() || found->first != number) return false;
    out.push_back(found->second);
    return true;
  }

 private:
  using Entry = std::pair<uint64_t, uint8_t>;
  std::vector<Entry> entries_;
};

const DirectBytes& direct_bytes(ArgKind kind) {
  constexpr size_t kKinds = static_cast<size_t>(ArgKind::kOptionValue) + 1;
  static const std::vector<DirectBytes> tables = [] {
    std::vector<DirectBytes> all;
    for (size_t i = 0; i < kKinds; i++) all.emplace_back(static_cast<ArgKind>(i));
    return all;
  }();
  return tables[static_cast<size_t>(kind)];
}

void write_little_endian(uint64_t number, size_t width, std::vector<uint8_t>& out) {
  for (size_t i = 0; i < width; i++) out.push_back(static_cast<uint8_t>(number >> (8 * i)));
}

uint64_t two_byte_size(uint8_t first, uint8_t second) {
  if (first < kClassSize) return uint64_t{first - uint32_t{kTwoByteSize}} << 8 | second;
  if (first < kLargeClassSize) {
    const uint32_t index = first - uint32_t{kClassSize} + 32 * (second >> 7);
    return size_class(index) + (second & 127) % 3 - 1;
  }
  if (first < kPageKindSize) return size_class(64 + (second & 63)) + kNeighbours[second >> 6];
  if (first < kPowerSize) return kPageKindLimits[second & 3] + (second >> 2) - 32;
  if (first < kLargestSize) return (uint64_t{1} << (second & 63)) + kNeighbours[second >> 6];
  if (first == kLargestSize) return std::numeric_limits<uint64_t>::max() - second;
  return static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - 128 + second;
}

Value interval(uint64_t low, uint64_t high, uint64_t seed) {
  if (low > high) std::swap(low, high);
  return low == high ? Value::of(low) : Value{low, high, seed};
}

}  // namespace

uint64_t size_class(uint32_t index) {
  if (index < 16) return 8 * (index + uint64_t{1});
  const uint32_t doubling = (index - 16) / 8;
  return (uint64_t{16} << doubling) * (9 + (index - 16) % 8);
}

uint64_t direct_number(ArgKind kind, uint8_t byte) {
  switch (kind) {
    case ArgKind::kSize: return direct_size(byte);
    case ArgKind::kCount: return direct_count(byte);
    case ArgKind::kAlignment: return direct_alignment(byte);
    case ArgKind::kMillis: return direct_millis(byte);
    case ArgKind::kFlag: return byte & 1;
    case ArgKind::kOffset: return direct_offset(byte);
    case ArgKind::kSmallSize: return direct_small_size(byte);
    case ArgKind::kLength: return direct_length(byte);
    case ArgKind::kArenaSize: return direct_arena_size(byte);
    case ArgKind::kTag: return byte;
    case ArgKind::kOption: return byte % option_count();
    case ArgKind::kOptionValue: return direct_option_value(byte);
    case ArgKind::kNothing:
    case ArgKind::kHeap:
    case ArgKind::kArena:
    case ArgKind::kNewHeap:
    case ArgKind::kNewArena:
    case ArgKind::kSlot: break;
  }
  return 0;
}

Value read_value(ByteReader& reader, ArgKind kind) {
  const uint8_t first = reader.u8();
  // A name and no number: longer forms have no meaning.
  if (kind == ArgKind::kOption) return Value::of(direct_number(kind, first));
  if (first < kDirectBytes) {
    if (has_second_byte(kind, first)) return Value::of(two_byte_size(first, reader.u8()));
    return Value::of(direct_number(kind, first));
  }
  if (first == kLiteral16) return Value::of(reader.little_endian(2));
  if (first == kLiteral32) return Value::of(reader.little_endian(4));
  if (first == kLiteral64) return Value::of(reader.little_endian(8));
  if (first < kLongInterval) {
    const uint64_t low = reader.u8();
    const uint64_t span = reader.little_endian(2) & kShortSpan;
    return interval(low, low + span, reader.u8());
  }
  const uint64_t low = reader.little_endian(8), high = reader.little_endian(8), seed = reader.little_endian(8);
  return interval(low, high, seed);
}

void write_value(const Value& value, ArgKind kind, std::vector<uint8_t>& out) {
  if (!value.single()) {
    if (value.low <= 255 && value.high - value.low <= kShortSpan && value.seed <= 255) {
      out.push_back(kShortInterval);
      write_little_endian(value.low, 1, out);
      write_little_endian(value.high - value.low, 2, out);
      write_little_endian(value.seed, 1, out);
      return;
    }
    out.push_back(kLongInterval);
    for (const uint64_t part : {value.low, value.high, value.seed}) write_little_endian(part, 8, out);
    return;
  }
  const uint64_t number = value.low;
  if (direct_bytes(kind).write(number, out)) return;
  if (kind == ArgKind::kSize && number < kTwoByteLimit) {
    out.push_back(static_cast<uint8_t>(kTwoByteSize + (number >> 8)));
    write_little_endian(number, 1, out);
  } else if (number <= 0xffff) {
    out.push_back(kLiteral16);
    write_little_endian(number, 2, out);
  } else if (number <= 0xffffffff) {
    out.push_back(kLiteral32);
    write_little_endian(number, 4, out);
  } else {
    out.push_back(kLiteral64);
    write_little_endian(number, 8, out);
  }
}

}  // namespace assay
