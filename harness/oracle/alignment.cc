#include "harness/oracle/alignment.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "harness/oracle/describe.h"

namespace assay {

uint64_t natural_alignment(uint64_t size) {
  return std::min<uint64_t>(alignof(std::max_align_t), std::bit_floor(std::max<uint64_t>(size, 1)));
}

bool check_alignment(uint64_t slot, const Block& block, uint64_t alignment, uint64_t offset, Violation& violation) {
  const uint64_t address = block.address + offset;
  if ((address & (alignment - 1)) == 0) return true;
  violation.oracle = Oracle::kAlignment;
  describe(violation.sentence, "the new block p{} of {} bytes is not aligned to {}{}", slot, block.requested, alignment,
           offset == 0 ? "" : " at its offset");
  if (offset == 0) {
    describe(violation.expected, "an address that is a multiple of {}", alignment);
  } else {
    describe(violation.expected, "an address that is {} below a multiple of {}", offset, alignment);
  }
  describe(violation.seen, "{:#x}, aligned to {}", block.address, address & (~address + 1));
  set_victim(violation, slot, block);
  return false;
}

}  // namespace assay
