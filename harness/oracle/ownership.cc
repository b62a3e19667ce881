#include "harness/oracle/ownership.h"

#include "harness/oracle/describe.h"

namespace assay {

bool check_ours(OpCode code, uint64_t slot, const Block* block, bool owner_known, bool ours, Violation& violation) {
  const bool open = code == OpCode::kCheckOwned && block != nullptr && !owner_known;
  if (ours == (block != nullptr) || open) return true;
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
