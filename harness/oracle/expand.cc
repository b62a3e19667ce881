#include "harness/oracle/expand.h"

#include "harness/oracle/describe.h"

namespace assay {

bool check_expanded(uint64_t slot, const Block* block, uint64_t size, uintptr_t address, const Promises& promises,
                    Violation& violation) {
  const uint64_t usable = block == nullptr ? 0 : block->usable;
  const bool fits = block != nullptr && size <= usable;
  const bool in_place = block != nullptr && address == block->address;
  if (address == 0 ? !fits || !promises.expands_to_usable : in_place && fits) return true;
  violation.oracle = Oracle::kUsableSize;
  if (block == nullptr) {
    describe(violation.sentence, "expand answered a block for NULL");
  } else {
    describe(violation.sentence, "expand of block p{} to {} bytes answered {}", slot, size,
             address == 0 ? "NULL although there is room"
             : in_place   ? "the block although it has no room"
                          : "another block");
    set_victim(violation, slot, *block);
  }
  describe(violation.expected, "{}", fits ? "the same block" : "NULL");
  describe(violation.seen, "{:#x}, usable size {}", address, usable);
  return false;
}

}  // namespace assay
