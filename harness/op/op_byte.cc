#include "harness/op/op_byte.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/op/byte_reader.h"
#include "harness/op/random.h"
#include "harness/op/text.h"

namespace assay {
namespace {

// Features: values from each of these up to the next.
constexpr uint8_t kThreads = 0xd4;
constexpr uint8_t kFork = 0xfc;
constexpr uint8_t kThreadsAndFork = 0xfe;

// In a program that may fork, more of its noise does than the weight says: one fork in some 40 operations.
constexpr uint32_t kForkWeight = 12;

constexpr std::array<uint8_t, 3> kHeaderBlock = {0xd3, 'h', 'd'};
constexpr size_t kHeaderValueBytes = 254;
using Mark = std::array<uint8_t, 3>;
constexpr Mark kFailureMark = {0xd3, 'f', 'p'};
constexpr Mark kHeapMark = {0xd3, 'h', 'a'};

bool permitted(const OpInfo& row, Features features) {
  if (row.code == OpCode::kFork) return features.fork;
  if (row.code == OpCode::kOsHeal || row.code == OpCode::kEnd) return features.failures;
  if (row.is_about_heaps() && !features.heaps) return false;
  return features.threads || row.precondition != Precondition::kNotMainThread;
}

OpCode alias(uint8_t byte, Features features) {
  uint64_t best_ticket = 0;
  OpCode best = OpCode::kMalloc;
  for (const OpInfo& row : all_ops()) {
    if (!permitted(row, features)) continue;
    const uint32_t weight = row.code == OpCode::kFork ? kForkWeight : row.weight;
    for (uint32_t i = 0; i < weight; i++) {
      const uint64_t ticket = random_at(uint64_t{byte} << 8 | static_cast<uint8_t>(row.code), i);
      if (ticket > best_ticket) {
        best_ticket = ticket;
        best = row.code;
      }
    }
  }
  return best;
}

using OpTable = std::array<OpCode, 256>;

OpTable op_table(Features features) {
  OpTable table{};
  for (size_t byte = 0; byte < table.size(); byte++) {
    const OpInfo* row = find_op(static_cast<OpCode>(byte));
    const bool assigned = row != nullptr && permitted(*row, features);
    table[byte] = assigned ? row->code : alias(static_cast<uint8_t>(byte), features);
  }
  return table;
}

size_t table_index(Features features) {
  return (features.threads ? 1 : 0) + (features.fork ? 2 : 0) + (features.failures ? 4 : 0) + (features.heaps ? 8 : 0);
}

bool read_mark(ByteReader& reader, const Mark& mark) {
  ByteReader ahead = reader;
  for (const uint8_t byte : mark) {
    if (ahead.u8() != byte) return false;
  }
  reader = ahead;
  return true;
}

constexpr std::array<std::string_view, 4> kHeaderKeys = {"flavour", "mode", "subject", "expect"};

template <typename HeaderType>
auto header_fields(HeaderType& header) {
  return std::array{&header.flavour, &header.mode, &header.subject, &header.expect};
}

}  // namespace

Features features_of_byte(uint8_t byte) {
  return {.threads = (byte >= kThreads && byte < kFork) || byte >= kThreadsAndFork, .fork = byte >= kFork};
}

uint8_t byte_of_features(Features features) {
  if (features.fork) return features.threads ? kThreadsAndFork : kFork;
  return features.threads ? kThreads : 0;
}

Features features_needed(std::span<const Operation> lines) {
  Features needed;
  for (const Operation& operation : lines) {
    needed.threads |= operation.thread != 0 || info(operation.code).precondition == Precondition::kNotMainThread;
    needed.fork |= operation.code == OpCode::kFork;
    needed.heaps |= info(operation.code).is_about_heaps();
    needed.failures |= !operation.fails.empty() || operation.code == OpCode::kOsHeal || operation.code == OpCode::kEnd;
  }
  return needed;
}

OpCode op_of_byte(uint8_t byte, Features features) {
  static const std::array<OpTable, 16> tables = [] {
    std::array<OpTable, 16> made;
    for (size_t i = 0; i < made.size(); i++) {
      made[i] = op_table({(i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0});
    }
    return made;
  }();
  return tables[table_index(features)][byte];
}

uint32_t thread_of_byte(uint8_t byte, const OpInfo& row) {
  const uint32_t thread = byte >> 6;
  if (thread == 0 && byte != 0 && row.precondition == Precondition::kNotMainThread) {
    return 1 + byte % (kMaxThreads - 1);
  }
  return thread;
}

uint8_t byte_of_thread(uint32_t thread) {
  return static_cast<uint8_t>(thread << 6);
}

size_t read_header_block(std::span<const uint8_t> bytes, Header& header) {
  if (bytes.size() < kHeaderBlock.size() || !std::ranges::equal(bytes.first(kHeaderBlock.size()), kHeaderBlock))
    return 0;
  ByteReader reader(bytes);
  reader.seek(kHeaderBlock.size());
  Header read;
  const auto fields = header_fields(read);
  for (size_t i = 0; i < fields.size(); i++) {
    const size_t length = reader.u8();
    if (length == 0) continue;
    fields[i]->emplace();
    for (size_t k = 1; k < length; k++) fields[i]->value() += static_cast<char>(reader.u8());
    if (!header_fault(kHeaderKeys[i], **fields[i]).empty()) return 0;
  }
  if (read == Header{}) return 0;
  header = std::move(read);
  return reader.position();
}

void write_header_block(const Header& header, std::vector<uint8_t>& out) {
  if (header == Header{}) return;
  out.insert(out.end(), kHeaderBlock.begin(), kHeaderBlock.end());
  const auto fields = header_fields(header);
  for (size_t i = 0; i < fields.size(); i++) {
    if (!*fields[i]) {
      out.push_back(0);
      continue;
    }
    const std::string& value = **fields[i];
    if (value.size() > kHeaderValueBytes) {
      throw InputError{fmt::format("header line '{}' is longer than the {} bytes that the byte form can hold",
                                   kHeaderKeys[i], kHeaderValueBytes)};
    }
    out.push_back(static_cast<uint8_t>(value.size() + 1));
    out.insert(out.end(), value.begin(), value.end());
  }
}

bool read_failure_mark(ByteReader& reader) {
  return read_mark(reader, kFailureMark);
}

void write_failure_mark(std::vector<uint8_t>& out) {
  out.insert(out.end(), kFailureMark.begin(), kFailureMark.end());
}

bool read_heap_mark(ByteReader& reader) {
  return read_mark(reader, kHeapMark);
}

void write_heap_mark(std::vector<uint8_t>& out) {
  out.insert(out.end(), kHeapMark.begin(), kHeapMark.end());
}

}  // namespace assay
