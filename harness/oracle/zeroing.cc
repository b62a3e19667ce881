#include "harness/oracle/zeroing.h"

#include <algorithm>

#include "harness/oracle/describe.h"

namespace assay {

bool check_zeroed(const ShadowHeap& heap, uint64_t slot, const Block& block, uint64_t from, Violation& violation) {
  size_t wrong = kAllRight;
  for_each_part(*block.plan, block.requested, [&](uint64_t begin, uint64_t end) {
    if (end <= from) return true;
    wrong = first_nonzero_byte(block.bytes(), std::max(begin, from), end);
    return wrong == kAllRight;
  });
  if (wrong == kAllRight) return true;
  violation.oracle = Oracle::kZeroing;
  describe(violation.sentence, "the new block p{} is not zero at offset {} of {}", slot, wrong, block.requested);
  describe(violation.expected, "byte 00 at offset {}", wrong);
  describe(violation.seen, "byte {:02x} at {:#x}", static_cast<unsigned char>(block.bytes()[wrong]),
           block.address + wrong);
  set_victim(violation, slot, block);
  if (const FreedBlock* earlier = heap.find_freed(block.address + wrong)) {
    describe(violation.seen, "byte {:02x} at {:#x}, where p{} was until it was freed",
             static_cast<unsigned char>(block.bytes()[wrong]), block.address + wrong, earlier->slot);
    violation.victim_slot = earlier->slot;
    violation.victim_allocated_line = earlier->allocated.line;
    violation.victim_allocated_member = earlier->allocated.member;
    violation.victim_freed_line = earlier->freed.line;
    violation.victim_freed_member = earlier->freed.member;
    violation.victim_address = earlier->address;
    violation.victim_requested = earlier->requested;
    violation.victim_usable = earlier->usable;
  }
  return false;
}

}  // namespace assay
