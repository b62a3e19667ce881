#include "harness/op/encode.h"

#include <fmt/format.h>

#include <span>

#include "harness/op/failure_bytes.h"
#include "harness/op/live_slots.h"
#include "harness/op/name_bytes.h"
#include "harness/op/number_bytes.h"
#include "harness/op/op_byte.h"
#include "harness/op/schedule.h"
#include "harness/op/schedule_bytes.h"
#include "harness/op/slot_bytes.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

void write_operation(const Operation& operation, Features features, const LiveSlots& live, std::vector<uint8_t>& out) {
  const OpInfo& row = info(operation.code);
  out.push_back(static_cast<uint8_t>(operation.code));
  if (features.threads) out.push_back(byte_of_thread(operation.thread));
  for (size_t i = 0; i < row.arg_count(); i++) {
    if (row.args[i] == ArgKind::kSlot) {
      write_taken(operation.slot, live, out);
    } else if (is_name(row.args[i])) {
      write_name(operation.args[i], row.args[i], live.names(), out);
    } else {
      write_value(operation.args[i], row.args[i], out);
    }
  }
  if (operation.result && operation.slot) {
    write_moved(*operation.result, live, *operation.slot, out);
  } else if (operation.result) {
    write_filled(*operation.result, live, out);
  }
  if (features.failures) write_failures(operation.fails, out);
}

// Writes lines until one would pass `max_bytes`; returns how many were written.
size_t write_lines(std::span<const Operation> lines, bool scheduled, size_t max_bytes, std::vector<uint8_t>& out) {
  if (lines.empty() || out.size() >= max_bytes) return 0;
  const Features features = features_needed(lines);
  const size_t start = out.size();
  if (scheduled) write_schedule_mark(out);
  if (features.failures) write_failure_mark(out);
  if (features.heaps) write_heap_mark(out);
  out.push_back(byte_of_features(features));
  LiveSlots live;
  for (size_t i = 0; i < lines.size(); i++) {
    const size_t before = out.size();
    write_operation(lines[i], features, live, out);
    if (scheduled) write_events(lines[i].schedule, out);
    if (out.size() > max_bytes) {
      out.resize(i == 0 ? start : before);
      return i;
    }
    live.apply(lines[i]);
  }
  return lines.size();
}

}  // namespace

std::vector<uint8_t> encode(const Program& program) {
  if (const auto fault = validate(program)) throw InputError{fmt::format("does not fit the byte form: {}", *fault)};
  std::vector<uint8_t> out;
  write_header_block(program.header, out);
  const size_t written = write_lines(program.lines, has_schedule(program), kMaxBytes, out);
  if (written != program.lines.size()) {
    throw InputError{fmt::format("does not fit the byte form: op {}: more than {} bytes", written, kMaxBytes)};
  }
  return out;
}

std::vector<uint8_t> encode_beginning(Program& program, size_t max_bytes) {
  std::vector<uint8_t> header;
  write_header_block(program.header, header);
  if (header.size() > max_bytes) {
    program.header = {};
    header.clear();
  }
  while (true) {
    std::vector<uint8_t> out = header;
    const size_t lines = program.lines.size();
    const size_t written = write_lines(program.lines, has_schedule(program), max_bytes, out);
    program.lines.resize(written);
    if (written == lines) return out;
    // With a line the last operation of a thread may have gone, and what was to be preempted by it.
    settle_schedule(program);
  }
}

}  // namespace assay
