// Calls that take a block back. What their caller must know of it - its size, its alignment - comes from the model.
#include "harness/exec/operations.h"
#include "harness/model/uninitialised.h"
#include "harness/oracle/overlap.h"
#include "harness/oracle/usable_size.h"

namespace assay {
namespace {

FreedAs freed_as(const Block& block) {
  return {.block = block.bytes(), .size = block.requested, .alignment = block.alignment};
}

}  // namespace

void Operations::forget(uint64_t slot, const Block& block) {
  heap_.remove(slot);
  if (options_.observer != nullptr) reuse_.freed(block.address);
  if (strict_) heap_.remember_freed(slot, block, here_);
  mark_uninitialised(block.bytes(), block.usable);
}

bool Operations::put_back(uint64_t slot, const Block& block) {
  mark_initialised(block.bytes(), block.usable);
  return insert_without_overlap(heap_, slot, block, result_.violation);
}

bool Operations::free_block(uint64_t slot, OpCode code) {
  if (!usable_size_kept(slot) || !verify(slot)) return false;
  const Block block = heap_.at(slot);
  // Before the call: in the middle of it another thread may be given the block already.
  forget(slot, block);
  enter_subject();
  const Answer answer = call_freeing(api_, code, freed_as(block));
  leave();
  if (answer.usable_before && !check_usable_told(code, slot, &block, *answer.usable_before, result_.violation)) {
    return false;
  }
  return check_errno_kept(code, kErrnoMark, answer.error, result_.violation);
}

Operations::Ran Operations::release(const Step& step) {
  if (step.slot) {
    if (!heap_.live(*step.slot)) return Ran::kSkipped;
    const Block& block = heap_.at(*step.slot);
    const bool is_small = block.usable <= kSmallLimit;
    if (info(step.code).precondition == Precondition::kSmall && !is_small) return Ran::kSkipped;
    outcome_.requested_bytes = block.requested;
    return free_block(*step.slot, step.code) ? Ran::kDone : fail();
  }
  if (step.code == OpCode::kFreeSmall) return Ran::kSkipped;
  enter_subject();
  const Answer answer = call_freeing(api_, step.code, FreedAs{});
  leave();
  if (answer.usable_before && !check_usable_told(step.code, 0, nullptr, *answer.usable_before, result_.violation)) {
    return fail();
  }
  return check_errno_kept(step.code, kErrnoMark, answer.error, result_.violation) ? Ran::kDone : fail();
}

}  // namespace assay
