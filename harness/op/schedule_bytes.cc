#include "harness/op/schedule_bytes.h"

#include <algorithm>
#include <array>

namespace assay {
namespace {

constexpr std::array<uint8_t, 3> kMark = {0xd3, 's', 'c'};

// Values of the byte behind an operation, each up to the next.
constexpr uint8_t kOnePreemption = 128;  // to the thread of the lower two bits, before the access of the other five
constexpr uint8_t kStale = 248;          // access, age
constexpr uint8_t kCasFails = 250;       // access
constexpr uint8_t kPreempt = 252;        // access, thread
constexpr uint8_t kList = 254;           // count, then each event as kind, member, access (16 bits each), value
constexpr uint64_t kShortAccesses = (kStale - kOnePreemption) / 4;
constexpr uint64_t kByteValues = 256;
constexpr uint8_t kKinds = 3;

void write_u16(uint64_t number, std::vector<uint8_t>& out) {
  out.push_back(static_cast<uint8_t>(number));
  out.push_back(static_cast<uint8_t>(number >> 8));
}

bool write_short(const AccessEvent& event, std::vector<uint8_t>& out) {
  if (event.member != 0 || event.access >= kByteValues) return false;
  const auto access = static_cast<uint8_t>(event.access);
  const auto value = static_cast<uint8_t>(event.value);
  switch (event.kind) {
    case ScheduleKind::kPreempt:
      if (event.access < kShortAccesses) {
        out.push_back(static_cast<uint8_t>(kOnePreemption + access * 4 + value));
      } else {
        out.insert(out.end(), {kPreempt, access, value});
      }
      return true;
    case ScheduleKind::kStale: out.insert(out.end(), {kStale, access, value}); return true;
    case ScheduleKind::kCasFails: out.insert(out.end(), {kCasFails, access}); return true;
  }
  return false;
}

}  // namespace

size_t read_schedule_mark(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMark.size() && std::ranges::equal(bytes.first(kMark.size()), kMark) ? kMark.size() : 0;
}

void write_schedule_mark(std::vector<uint8_t>& out) {
  out.insert(out.end(), kMark.begin(), kMark.end());
}

void read_events(ByteReader& reader, std::vector<AccessEvent>& events) {
  const uint8_t first = reader.u8();
  if (first < kOnePreemption) return;
  if (first >= kList) {
    for (unsigned left = reader.u8(); left > 0 && !reader.at_end(); left--) {
      AccessEvent& event = events.emplace_back();
      event.kind = static_cast<ScheduleKind>(reader.u8() % kKinds);
      event.member = reader.u16();
      event.access = reader.u16();
      event.value = reader.u8();
      if (event.kind == ScheduleKind::kPreempt) event.value %= kMaxThreads;
    }
    return;
  }
  AccessEvent& event = events.emplace_back();
  if (first < kStale) {
    event.access = (first - kOnePreemption) / 4;
    event.value = (first - kOnePreemption) % 4;
    return;
  }
  event.kind = first < kCasFails  ? ScheduleKind::kStale
               : first < kPreempt ? ScheduleKind::kCasFails
                                  : ScheduleKind::kPreempt;
  event.access = reader.u8();
  if (event.kind != ScheduleKind::kCasFails) event.value = reader.u8();
  if (event.kind == ScheduleKind::kPreempt) event.value %= kMaxThreads;
}

void write_events(const std::vector<AccessEvent>& events, std::vector<uint8_t>& out) {
  if (events.empty()) return out.push_back(0);
  if (events.size() == 1 && write_short(events.front(), out)) return;
  out.push_back(kList);
  out.push_back(static_cast<uint8_t>(events.size()));
  for (const AccessEvent& event : events) {
    out.push_back(static_cast<uint8_t>(event.kind));
    write_u16(event.member, out);
    write_u16(event.access, out);
    out.push_back(static_cast<uint8_t>(event.value));
  }
}

}  // namespace assay
