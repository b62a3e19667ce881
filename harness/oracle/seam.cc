#include "harness/oracle/seam.h"

#include "harness/oracle/describe.h"

namespace assay {

bool check_os_call(const OsCall& call, const ShadowHeap& heap, Violation& violation) {
  const uint64_t end = call.address + call.size;
  if (!call.known) {
    violation.oracle = Oracle::kSeam;
    describe(violation.sentence, "{} of memory that is not mapped", name(call.call));
    describe(violation.expected, "a part of one mapping that the system handed out and has not got back");
    describe(violation.seen, "{} [{:#x}, {:#x})", name(call.call), call.address, end);
    return false;
  }
  // No block lies above what a program can touch.
  if (!call.takes_away || call.address >= kAddressLimit || !heap.may_overlap(call.address, call.size)) return true;
  const uint64_t slot = heap.find_bytes(call.address, call.size);
  if (slot == ShadowHeap::kNoSlot) return true;
  const Block& victim = heap.at(slot);
  violation.oracle = Oracle::kSeam;
  describe(violation.sentence, "{} takes memory of live block p{} away", name(call.call), slot);
  describe(violation.expected, "no {} where a live block lies", name(call.call));
  describe(violation.seen, "{} [{:#x}, {:#x}) while p{} is at [{:#x}, {:#x})", name(call.call), call.address, end, slot,
           victim.address, victim.address + victim.usable);
  set_victim(violation, slot, victim);
  return false;
}

}  // namespace assay
