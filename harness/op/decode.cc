#include "harness/op/decode.h"

#include <algorithm>

#include "harness/op/byte_reader.h"
#include "harness/op/failure_bytes.h"
#include "harness/op/live_slots.h"
#include "harness/op/name_bytes.h"
#include "harness/op/number_bytes.h"
#include "harness/op/op_byte.h"
#include "harness/op/schedule.h"
#include "harness/op/schedule_bytes.h"
#include "harness/op/slot_bytes.h"

namespace assay {
namespace {

// A byte form takes about this many bytes for each line; a guess that saves growing.
constexpr size_t kBytesPerLine = 3;
constexpr size_t kLinesReserved = 64;

// Reads the arguments. When the operation needs a live block, a heap or an arena and there is none, another one that
// gives such: better that, for the operations that follow, than a call that is skipped.
std::optional<OpCode> read_arguments(ByteReader& reader, const OpInfo& row, const LiveSlots& live,
                                     Operation& operation) {
  for (size_t i = 0; i < row.args.size() && row.args[i] != ArgKind::kNothing; i++) {
    const ArgKind kind = row.args[i];
    if (kind == ArgKind::kSlot) {
      if (!read_taken(reader, live, operation.slot)) return OpCode::kMalloc;
    } else if (!is_name(kind)) {
      operation.args[i] = read_value(reader, kind);
    } else if (!read_name(reader, kind, live.names(), operation.args[i])) {
      if (kind == ArgKind::kHeap) return OpCode::kHeapNew;
      if (row.code != OpCode::kHeapNewEx) return OpCode::kManageOsMemoryEx;
      operation.args[i] = Value::of(kNoName);
    }
  }
  return std::nullopt;
}

void read_operation(ByteReader& reader, Features features, const LiveSlots& live, Operation& operation) {
  operation.code = op_of_byte(reader.u8(), features);
  const OpInfo* row = &info(operation.code);
  if (features.threads) operation.thread = thread_of_byte(reader.u8(), *row);
  if (row->precondition == Precondition::kLastLine) operation.thread = 0;
  if (const std::optional<OpCode> other = read_arguments(reader, *row, live, operation)) {
    operation = {.code = *other, .thread = operation.thread};
    row = &info(operation.code);
    read_arguments(reader, *row, live, operation);
  }
  if (row->result == ResultKind::kMoves && operation.slot) {
    read_moved(reader, live, *operation.slot, operation.result.emplace());
  } else if (row->result == ResultKind::kFills || row->result == ResultKind::kMoves) {
    read_filled(reader, live, operation.result.emplace());
  }
  if (features.failures) read_failures(reader, operation.fails);
}

}  // namespace

void decode_into(std::span<const uint8_t> bytes, Program& program) {
  bytes = bytes.first(std::min(bytes.size(), kMaxBytes));
  program.header = {};
  program.lines.clear();
  program.lines.reserve(std::min(bytes.size() / kBytesPerLine + 1, kLinesReserved));
  ByteReader reader(bytes);
  reader.seek(read_header_block(bytes, program.header));
  const size_t mark = read_schedule_mark(bytes.subspan(reader.position()));
  reader.seek(reader.position() + mark);
  const bool failures = read_failure_mark(reader);
  const bool heaps = read_heap_mark(reader);
  if (reader.at_end()) return;
  Features features = features_of_byte(reader.u8());
  features.failures = failures;
  features.heaps = heaps;
  LiveSlots live;
  uint64_t operations = 0;
  while (!reader.at_end()) {
    Operation& operation = program.lines.emplace_back();
    read_operation(reader, features, live, operation);
    if (mark != 0) read_events(reader, operation.schedule);
    operations += operation.members();
    if (operations > kMaxOperations) {
      program.lines.pop_back();
      break;
    }
    if (operation.code == OpCode::kEnd) break;
    live.apply(operation);
  }
  if (mark != 0) aim_schedule(program);
}

Program decode(std::span<const uint8_t> bytes) {
  Program program;
  decode_into(bytes, program);
  return program;
}

}  // namespace assay
