#include "harness/oracle/overlap.h"

#include <algorithm>

#include "harness/oracle/describe.h"

namespace assay {

bool insert_without_overlap(ShadowHeap& heap, uint64_t slot, const Block& block, Violation& violation) {
  const uint64_t victim_slot = heap.insert(slot, block);
  if (victim_slot == ShadowHeap::kNoSlot) return true;
  const Block& victim = heap.at(victim_slot);
  const uint64_t shared = std::min(block.address + block.extent(), victim.address + victim.extent()) -
                          std::max(block.address, victim.address);
  violation.oracle = Oracle::kOverlap;
  describe(violation.sentence, "the new block p{} overlaps live block p{}", slot, victim_slot);
  describe(violation.expected, "a block that shares no byte with a live one");
  describe(violation.seen, "[{:#x}, {:#x}) shares {} byte{} with p{} at [{:#x}, {:#x})", block.address,
           block.address + block.extent(), shared, shared == 1 ? "" : "s", victim_slot, victim.address,
           victim.address + victim.extent());
  set_victim(violation, victim_slot, victim);
  return false;
}

}  // namespace assay
