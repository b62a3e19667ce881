#include "harness/op/failure_bytes.h"

#include <algorithm>
#include <array>

namespace assay {
namespace {

// First bytes below this one: nothing fails.
constexpr uint8_t kCounted = 192;  // to 239: one of four calls, the first to the sixth, once or from then on
constexpr uint8_t kSpecial = 240;  // to 247: what else is common
constexpr uint8_t kLong = 248;     // to 255: one to eight failures, five bytes each
constexpr uint8_t kCountedCalls = 4;
constexpr uint8_t kCountedNth = 6;
constexpr uint8_t kFailureKinds = 4;
// A call's byte: those below the first stand for themselves, the second for brk, which came later, all others for one
// of the first.
constexpr uint8_t kAliased = 9;
constexpr uint8_t kBrk = 9;
static_assert(static_cast<uint8_t>(SystemCall::kBrk) == kBrk && kSystemCalls == kBrk + 1);

Failure of_kind(SystemCall call, FailureKind kind) {
  return {.call = call, .kind = kind, .error = kind == FailureKind::kErrno ? uint16_t{ENOMEM} : uint16_t{0}};
}

// What a first byte from kCounted to kLong - 1 stands for.
Failure short_failure(uint8_t byte) {
  Failure failure;
  if (byte >= kSpecial) {
    static const std::array<Failure, 4> kinds = {
        of_kind(SystemCall::kKeyCreate, FailureKind::kErrno), of_kind(SystemCall::kMmap, FailureKind::kUnaligned),
        of_kind(SystemCall::kMmap, FailureKind::kHigh), of_kind(SystemCall::kMadvise, FailureKind::kDirty)};
    failure = kinds[(byte - kSpecial) / 2];
  } else {
    constexpr uint8_t kOfEach = 2 * kCountedNth;
    failure.call = static_cast<SystemCall>((byte - kCounted) / kOfEach);
    failure.nth = static_cast<uint16_t>(1 + (byte - kCounted) % kOfEach / 2);
  }
  failure.persistent = byte % 2 == 1;
  return failure;
}
static_assert(kCounted + kCountedCalls * 2 * kCountedNth == kSpecial);

Failure read_long(ByteReader& reader) {
  Failure failure;
  const uint8_t call = reader.u8();
  failure.call = call == kBrk ? SystemCall::kBrk : static_cast<SystemCall>(call % kAliased);
  const uint8_t how = reader.u8();
  failure.persistent = how % 2 == 1;
  failure.kind = static_cast<FailureKind>(how / 2 % kFailureKinds);
  failure.error = reader.u8();
  failure.nth = static_cast<uint16_t>(reader.little_endian(2));
  if (failure.nth == 0) failure.nth = 1;
  if (failure.kind != FailureKind::kErrno) failure.error = 0;
  if (!failure_fault(failure).empty()) {
    failure.kind = FailureKind::kErrno;
    failure.error = ENOMEM;
  }
  return failure;
}

void write_long(const Failure& failure, std::vector<uint8_t>& out) {
  out.push_back(static_cast<uint8_t>(failure.call));
  out.push_back(static_cast<uint8_t>(static_cast<uint8_t>(failure.kind) * 2 + (failure.persistent ? 1 : 0)));
  out.push_back(static_cast<uint8_t>(failure.error));
  out.push_back(static_cast<uint8_t>(failure.nth));
  out.push_back(static_cast<uint8_t>(failure.nth >> 8));
}

}  // namespace

void read_failures(ByteReader& reader, std::vector<Failure>& failures) {
  const uint8_t first = reader.u8();
  if (first < kCounted) return;
  if (first < kLong) {
    failures.push_back(short_failure(first));
    return;
  }
  for (int left = first - kLong + 1; left > 0; left--) {
    const Failure failure = read_long(reader);
    const auto same = [&](const Failure& other) { return other.call == failure.call && other.nth == failure.nth; };
    if (std::ranges::none_of(failures, same)) failures.push_back(failure);
  }
}

void write_failures(const std::vector<Failure>& failures, std::vector<uint8_t>& out) {
  if (failures.empty()) {
    out.push_back(0);
    return;
  }
  if (failures.size() == 1) {
    for (unsigned byte = kCounted; byte < kLong; byte++) {
      if (short_failure(static_cast<uint8_t>(byte)) != failures[0]) continue;
      out.push_back(static_cast<uint8_t>(byte));
      return;
    }
  }
  out.push_back(static_cast<uint8_t>(kLong + failures.size() - 1));
  for (const Failure& failure : failures) write_long(failure, out);
}

}  // namespace assay
