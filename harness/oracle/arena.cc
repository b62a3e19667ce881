#include "harness/oracle/arena.h"

#include "harness/oracle/describe.h"

namespace assay {
namespace {

// More than any allocator rounds by: the unit in which arenas are handed out.
constexpr uint64_t kUnitBytes = uint64_t{64} << 10;

uint64_t rounded_up(uint64_t bytes) {
  return (bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
}

}  // namespace

bool check_arena_of(const MadeHeaps& made, const MadeArena* bound, uint64_t slot, const Block& block,
                    Violation& violation) {
  const MadeArena* wrong = nullptr;
  if (bound != nullptr) {
    if (bound->contains(block.address, block.extent())) return true;
    describe(violation.sentence, "the new block p{} of a heap that is bound to an arena lies outside of it", slot);
    describe(violation.expected, "a block in [{:#x}, {:#x})", bound->start, bound->start + bound->bytes);
  } else {
    wrong = made.exclusive_at(block.address, block.extent());
    if (wrong == nullptr) return true;
    describe(violation.sentence, "the new block p{} lies in an exclusive arena that its heap is not bound to", slot);
    describe(violation.expected, "a block outside of [{:#x}, {:#x})", wrong->start, wrong->start + wrong->bytes);
  }
  violation.oracle = Oracle::kArena;
  describe(violation.seen, "[{:#x}, {:#x})", block.address, block.address + block.extent());
  set_victim(violation, slot, block);
  return false;
}

bool check_not_spurious(OpCode code, const HeapKit& kit, const MadeArena& bound, const Request& request,
                        Violation& violation) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  if (kit.longest_free_run == nullptr || request.size > kMost || request.alignment > kMost || request.offset > kMost) {
    return true;
  }
  // A block that is aligned may begin anywhere in a run, and what leads to it is lost; one that is aligned at an offset
  // may lie inside of a block that is.
  const uint64_t whole = request.offset == 0 ? request.alignment : 2 * request.alignment;
  const uint64_t slack = request.aligned && request.alignment > 16 ? whole : 0;
  const uint64_t needed = rounded_up(request.size + slack) + kUnitBytes;
  const uint64_t run = kit.longest_free_run(bound.handle);
  if (run < needed) return true;
  violation.oracle = Oracle::kArena;
  describe(violation.sentence, "{} answered NULL although its arena has room", info(code).name);
  describe(violation.expected, "a block of {} bytes, of which a run of {} bytes holds any", request.size, needed);
  describe(violation.seen, "NULL, and a free run of {} bytes", run);
  return false;
}

bool check_area(const MadeArena& arena, uint64_t asked_bytes, uintptr_t managed_start, Violation& violation) {
  const bool managed = managed_start != 0;
  const bool inside = arena.start >= managed_start && arena.start - managed_start + arena.bytes <= asked_bytes;
  if (arena.start != 0 && (managed ? inside && arena.bytes != 0 : arena.bytes >= asked_bytes)) return true;
  violation.oracle = Oracle::kArena;
  describe(violation.sentence, "a new arena has not the place that was asked for");
  if (managed) {
    describe(violation.expected, "whole units inside of [{:#x}, {:#x})", managed_start, managed_start + asked_bytes);
  } else {
    describe(violation.expected, "at least {} bytes", asked_bytes);
  }
  describe(violation.seen, "[{:#x}, {:#x})", arena.start, arena.start + arena.bytes);
  return false;
}

}  // namespace assay
