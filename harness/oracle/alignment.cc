#include "harness/oracle/alignment.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "harness/oracle/describe.h"

namespace assay {

uint64_t natural_alignment(uint64_t size) {
  return std::min<uint64_t>(alignof(std::max_align_t), std::bit_floor(std::max<uint64_t>(size, 1)));
}

bool check_alignment(uint64_t slot, const Block& block, uint64_t alignment, Violation& violation) {
  if ((block.address & (alignment - 1)) == 0) return true;
  violation.oracle = Oracle::kAlignment;
  describe(violation.sentence, "the new block p{} of {} bytes is not aligned to {}", slot, block.requested, alignment);
  describe(violation.expected, "an address that is a multiple of {}", alignment);
  describe(violation.seen, "{:#x}, aligned to {}", block.address, block.address & (~block.address + 1));
  set_victim(violation, slot, block);
  return false;
}

}  // namespace assay
