// The recorded trace as bytes: one first line, then chunks {header, events}. The recorder (tools/recorder) writes it
// from inside any program, trace.h reads it; both use this file, which therefore needs no C++ runtime and no heap.
//
// A process writes a chunk by one write() on a descriptor opened with O_APPEND, so that processes share a file without
// any lock between them, and a killed process leaves whole chunks only. Each chunk decodes by itself: the writer
// forgets thread and last address at its start. Events of one process stand in the one order that the recorder's lock
// gave them: a block that goes is written before the call that frees it, a block that comes after the call that made
// it, so that an address never goes to a second owner in the trace before the first owner gave it back.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace assay::trace {

static_assert(std::endian::native == std::endian::little, "the numbers of a trace are little-endian");

inline constexpr std::string_view kFirstLine = "assay-trace 1\n";
inline constexpr uint32_t kChunkMagic = 0x4b434153;  // "SACK"
inline constexpr size_t kMaxPayload = 64 * 1024;
inline constexpr size_t kMaxProgramName = 64;

struct ChunkHeader {
  uint32_t magic;
  uint32_t pid;
  uint32_t parent_pid;
  uint32_t payload_bytes;
  uint64_t image;     // when this image started, in ns: tells apart what ran before and after exec, and reused pids
  uint32_t sequence;  // 0, 1, 2, ... within (pid, image)
  uint32_t crc;       // of the header before this field, and of the payload
};
static_assert(sizeof(ChunkHeader) == 32);

// The low four bits of an event's first byte. What follows is varints, then the address (see kRawAddress); the fields:
enum class Event : uint8_t {
  kStart = 0,   // flag (1: by fork), length, bytes of the program's name; first event of a process
  kThread = 1,  // serial: the following events are this thread's
  kThreadExit = 2,
  kMalloc = 3,         // size, block
  kCalloc = 4,         // count, size, block
  kAlignedAlloc = 5,   // alignment, size, block; memalign, valloc and pvalloc too
  kPosixMemalign = 6,  // alignment, size, block
  kFree = 7,           // block; before the call
  kFreeNull = 8,
  kReallocBegin = 9,  // size, old block; before the call
  kReallocEnd = 10,   // new block, or 0: failed, or freed because the size was 0
  kReallocNull = 11,  // size, block: realloc(NULL, size)
  kUsableSize = 12,   // block
  kFork = 13,         // before the call
};
inline constexpr unsigned kEventKinds = 14;
// How many varints stand before the address, and whether there is an address.
struct EventShape {
  uint8_t numbers;
  bool address;
};
inline constexpr std::array<EventShape, kEventKinds> kShapes = {{
    {2, false},
    {1, false},
    {0, false},
    {1, true},
    {2, true},
    {2, true},
    {2, true},
    {0, true},
    {0, false},
    {1, true},
    {0, true},
    {1, true},
    {0, true},
    {0, false},
}};
// Flags beside the kind. An address is a zigzag difference to the last address, in units of 8 bytes unless kRawAddress.
inline constexpr uint8_t kRawAddress = 0x10;
inline constexpr uint8_t kNullAddress = 0x20;  // the address is 0: no difference follows, the last address stays
inline constexpr uint8_t kKnownFlags = kRawAddress | kNullAddress;
inline constexpr size_t kMaxEventBytes = 128;  // with the kThread event that may stand before it

namespace detail {
constexpr std::array<std::array<uint32_t, 256>, 8> make_crc_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    tables[0][byte] = crc;
  }
  for (size_t table = 1; table < 8; ++table) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = tables[table - 1][byte];
      tables[table][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}
inline constexpr auto kCrcTables = make_crc_tables();
}  // namespace detail

// CRC-32 (IEEE), eight bytes at a step; `crc` is the result for the bytes before, 0 at first.
inline uint32_t crc32(uint32_t crc, const void* data, size_t size) {
  const auto& tables = detail::kCrcTables;
  const auto* bytes = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    word ^= crc;
    crc = 0;
    for (size_t byte = 0; byte < 8; ++byte) crc ^= tables[7 - byte][(word >> (8 * byte)) & 0xff];
  }
  for (; size > 0; --size, ++bytes) crc = (crc >> 8) ^ tables[0][(crc ^ *bytes) & 0xff];
  return ~crc;
}

inline uint32_t chunk_crc(const ChunkHeader& header, const void* payload) {
  return crc32(crc32(0, &header, offsetof(ChunkHeader, crc)), payload, header.payload_bytes);
}

// Appends events to a payload. The caller sees to it that kMaxEventBytes are free.
class EventWriter {
 public:
  // A value of all zero bytes is a writer without a buffer: the recorder's state is wiped by the kernel at fork.
  void begin(uint8_t* payload) {
    payload_ = payload;
    restart();
  }
  void restart() {
    size_ = 0;
    last_address_ = 0;
    thread_plus_one_ = 0;
  }
  size_t size() const { return size_; }
  const uint8_t* payload() const { return payload_; }

  void start(bool by_fork, std::string_view program) {
    if (program.size() > kMaxProgramName) program = program.substr(0, kMaxProgramName);
    tag(Event::kStart, 0);
    number(by_fork ? 1 : 0);
    number(program.size());
    std::memcpy(payload_ + size_, program.data(), program.size());
    size_ += program.size();
  }
  // Names the thread of the events that follow; costs nothing while it stays the same.
  void thread(uint64_t serial) {
    if (thread_plus_one_ == serial + 1) return;
    thread_plus_one_ = serial + 1;
    tag(Event::kThread, 0);
    number(serial);
  }
  void plain(Event event) { tag(event, 0); }
  void address(Event event, uint64_t block) { with_address(event, block, 0, 0); }
  void address(Event event, uint64_t first, uint64_t block) { with_address(event, block, first, 0); }
  void address(Event event, uint64_t first, uint64_t second, uint64_t block) {
    with_address(event, block, first, second);
  }

 private:
  void tag(Event event, uint8_t flags) {
    payload_[size_++] = static_cast<uint8_t>(static_cast<uint8_t>(event) | flags);
  }
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) payload_[size_++] = static_cast<uint8_t>(value | 0x80);
    payload_[size_++] = static_cast<uint8_t>(value);
  }
  void with_address(Event event, uint64_t block, uint64_t first, uint64_t second) {
    const uint64_t difference = block - last_address_;
    const bool raw = (difference & 7) != 0;
    tag(event, block == 0 ? kNullAddress : raw ? kRawAddress : 0);
    const uint8_t numbers = kShapes[static_cast<uint8_t>(event)].numbers;
    if (numbers > 0) number(first);
    if (numbers > 1) number(second);
    if (block == 0) return;
    const int64_t steps = raw ? static_cast<int64_t>(difference) : static_cast<int64_t>(difference) / 8;
    number((static_cast<uint64_t>(steps) << 1) ^ static_cast<uint64_t>(steps >> 63));
    last_address_ = block;
  }

  uint8_t* payload_;
  size_t size_;
  uint64_t last_address_;
  uint64_t thread_plus_one_;
};

// One event as it is read; the name of a kStart is left in the payload.
struct DecodedEvent {
  Event event;
  uint64_t numbers[2];
  uint64_t block;
  std::string_view program;
};

// Reads the events of one payload; false at its end or where it makes no sense, and then well_formed() tells which.
class EventReader {
 public:
  EventReader() = default;
  EventReader(const uint8_t* payload, size_t size) : at_(payload), end_(payload + size) {}

  bool well_formed() const { return well_formed_; }

  bool next(DecodedEvent& out) {
    if (at_ == end_ || !well_formed_) return false;
    const uint8_t tag = *at_++;
    const unsigned kind = tag & 0x0f;
    const uint8_t flags = tag & 0xf0;
    if (kind >= kEventKinds || (flags & ~kKnownFlags) != 0) return fail();
    const EventShape shape = kShapes[kind];
    if (!shape.address && flags != 0) return fail();
    out = DecodedEvent{static_cast<Event>(kind), {0, 0}, 0, {}};
    for (unsigned i = 0; i < shape.numbers; ++i) {
      if (!number(out.numbers[i])) return fail();
    }
    if (shape.address && (flags & kNullAddress) == 0) {
      uint64_t zigzag = 0;
      if (!number(zigzag)) return fail();
      const uint64_t steps = (zigzag >> 1) ^ (~(zigzag & 1) + 1);
      last_address_ += (flags & kRawAddress) != 0 ? steps : steps * 8;
      out.block = last_address_;
    }
    if (out.event == Event::kStart) {
      if (out.numbers[1] > kMaxProgramName || out.numbers[1] > static_cast<uint64_t>(end_ - at_)) return fail();
      out.program = {reinterpret_cast<const char*>(at_), static_cast<size_t>(out.numbers[1])};
      at_ += out.numbers[1];
    }
    return true;
  }

 private:
  bool fail() {
    well_formed_ = false;
    return false;
  }
  bool number(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const uint8_t byte = *at_++;
      if (shift == 63 && byte > 1) return false;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  uint64_t last_address_ = 0;
  bool well_formed_ = true;
};

}  // namespace assay::trace
