#include "harness/oracle/usable_size.h"

#include "harness/oracle/describe.h"

namespace assay {

bool check_usable_covers(uint64_t slot, const Block& block, uint64_t usable, Violation& violation) {
  const bool fits = block.address < kAddressLimit && usable <= kAddressLimit - block.address;
  if (usable >= block.requested && fits) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.sentence, "the usable size of the new block p{} is {}", slot,
           fits ? "less than was requested" : "more than the address space holds");
  describe(violation.expected, "at least {} bytes, within the address space", block.requested);
  describe(violation.seen, "{} bytes at {:#x}", usable, block.address);
  set_victim(violation, slot, block);
  return false;
}

bool check_usable_stable(uint64_t slot, const Block* block, uint64_t usable, Violation& violation) {
  const uint64_t expected = block == nullptr ? 0 : block->usable;
  if (usable == expected) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.expected, "{} bytes", expected);
  describe(violation.seen, "{} bytes", usable);
  if (block == nullptr) {
    describe(violation.sentence, "the usable size of NULL is not 0");
  } else {
    describe(violation.sentence, "the usable size of block p{} changed while it was live", slot);
    set_victim(violation, slot, *block);
  }
  return false;
}

bool check_gives_back(uint64_t slot, const Block& old, const Block& now, const Promises& promises,
                      Violation& violation) {
  const bool stays = now.address == old.address && now.usable == old.usable;
  if (!promises.resize_gives_back || !stays || now.requested >= old.usable / 2) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.sentence, "the block p{} stays where it is although less than half of it is used", slot);
  describe(violation.expected, "another block, of the size class of {} bytes", now.requested);
  describe(violation.seen, "{} usable bytes", now.usable);
  set_victim(violation, slot, old);
  return false;
}

bool check_usable_told(OpCode code, uint64_t slot, const Block* block, uint64_t told, Violation& violation) {
  const uint64_t expected = block == nullptr ? 0 : block->usable;
  if (told == expected) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.expected, "{} bytes, as the usable size says", expected);
  describe(violation.seen, "{} bytes", told);
  if (block == nullptr) {
    describe(violation.sentence, "{} told a usable size of NULL", info(code).name);
  } else {
    describe(violation.sentence, "{} told another usable size of block p{} than it has", info(code).name, slot);
    set_victim(violation, slot, *block);
  }
  return false;
}

bool check_good_size(uint64_t size, uint64_t good, Violation& violation) {
  if (good >= size) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.sentence, "the good size for {} bytes is less", size);
  describe(violation.expected, "at least {} bytes", size);
  describe(violation.seen, "{} bytes", good);
  return false;
}

bool check_good_size_kept(uint64_t slot, const Block& block, uint64_t good, Violation& violation) {
  if (good == block.usable) return true;
  violation.oracle = Oracle::kUsableSize;
  describe(violation.sentence, "the new block p{} of {} bytes has not the size that good_size says", slot,
           block.requested);
  describe(violation.expected, "{} usable bytes", good);
  describe(violation.seen, "{} bytes", block.usable);
  set_victim(violation, slot, block);
  return false;
}

}  // namespace assay
