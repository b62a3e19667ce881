#include "harness/oracle/outside.h"

#include "harness/oracle/describe.h"

namespace assay {
namespace {

// Nothing is ever mapped below vm.mmap_min_addr's usual value.
constexpr uintptr_t kLowestAddress = 4096;

bool inside_address_space(const Block& block) {
  return block.address >= kLowestAddress && block.address < kAddressLimit &&
         block.extent() <= kAddressLimit - block.address;
}

}  // namespace

bool check_inside(const Subject& subject, uint64_t slot, const Block& block, Violation& violation) {
  const auto is_committed = subject.instruments().is_committed;
  const bool possible = inside_address_space(block);
  if (possible && (is_committed == nullptr || is_committed(block.bytes(), block.extent()))) return true;
  violation.oracle = Oracle::kOutside;
  describe(violation.sentence, "the new block p{} lies outside {}", slot,
           possible ? "the memory that the OS layer has committed" : "the address space");
  describe(violation.expected, "every byte of the block in memory that may be read and written");
  describe(violation.seen, "[{:#x}, {:#x})", block.address, block.address + block.extent());
  set_victim(violation, slot, block);
  return false;
}

}  // namespace assay
