#include "harness/op/workloads/program_builder.h"

#include <algorithm>
#include <utility>

namespace assay {

uint32_t ProgramBuilder::slots_each(uint32_t wanted) const {
  return std::min(wanted, kMaxTextSlots / threads_);
}

Value ProgramBuilder::sizes(uint64_t low, uint64_t high) {
  // Small seeds, which read well.
  return {.low = low, .high = high, .seed = random_.below(1000)};
}

void ProgramBuilder::add(OpCode code, uint32_t thread, std::optional<SlotRange> result, std::optional<SlotRange> slot,
                         std::array<Value, kMaxArgs> args) {
  Operation line;
  line.code = code;
  line.thread = thread;
  line.result = result;
  line.slot = slot;
  line.args = args;
  program_.lines.push_back(std::move(line));
}

void ProgramBuilder::malloc(uint32_t thread, SlotRange to, Value size) {
  add(OpCode::kMalloc, thread, to, std::nullopt, {size});
}

void ProgramBuilder::calloc(uint32_t thread, SlotRange to, Value size) {
  add(OpCode::kCalloc, thread, to, std::nullopt, {Value::of(1), size});
}

void ProgramBuilder::aligned_alloc(uint32_t thread, SlotRange to, uint64_t alignment, Value size) {
  add(OpCode::kAlignedAlloc, thread, to, std::nullopt, {Value::of(alignment), size});
}

void ProgramBuilder::realloc(uint32_t thread, SlotRange block, Value size) {
  add(OpCode::kRealloc, thread, block, block, {Value{}, size});
}

void ProgramBuilder::free(uint32_t thread, SlotRange blocks) {
  add(OpCode::kFree, thread, std::nullopt, blocks, {});
}

void ProgramBuilder::check(uint32_t thread, SlotRange blocks) {
  add(OpCode::kCheck, thread, std::nullopt, blocks, {});
}

void ProgramBuilder::thread_exit(uint32_t thread) {
  add(OpCode::kThreadExit, thread, std::nullopt, std::nullopt, {});
}

}  // namespace assay
