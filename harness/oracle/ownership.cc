#include "harness/oracle/ownership.h"

#include "harness/oracle/describe.h"

namespace assay {

bool check_ours(OpCode code, uint64_t slot, const Block* block, bool ours, Violation& violation) {
  const bool is_owner_unknown = code == OpCode::kCheckOwned && block != nullptr;
  if (ours == (block != nullptr) || is_owner_unknown) return true;
  violation.oracle = Oracle::kOwnership;
  describe(violation.expected, "{}", block != nullptr);
  describe(violation.seen, "{}", ours);
  if (block == nullptr) {
    describe(violation.sentence, "{} claims NULL", info(code).name);
  } else {
    describe(violation.sentence, "{} does not know the live block p{}", info(code).name, slot);
    set_victim(violation, slot, *block);
  }
  return false;
}

}  // namespace assay
