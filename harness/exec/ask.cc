// Calls that only ask.
#include "harness/exec/operations.h"
#include "harness/oracle/ownership.h"
#include "harness/oracle/usable_size.h"

namespace assay {

bool Operations::usable_size_kept(uint64_t slot) {
  if (api_.usable_size == nullptr) return true;
  const Block& block = heap_.at(slot);
  enter_query();
  const uint64_t usable = api_.usable_size(block.bytes());
  leave();
  return check_usable_stable(slot, &block, usable, result_.violation);
}

Operations::Ran Operations::ask_usable_size(const Step& step) {
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  const Block* const block = step.slot ? &heap_.at(*step.slot) : nullptr;
  void* const bytes = block == nullptr ? nullptr : block->bytes();
  enter_subject();
  const uint64_t usable = step.code == OpCode::kMallocSize ? api_.malloc_size(bytes) : api_.usable_size(bytes);
  leave();
  // Without the standard's question the model knows the requested size only.
  if (api_.usable_size == nullptr && block != nullptr && usable >= block->requested) return Ran::kDone;
  return check_usable_stable(step.slot.value_or(0), block, usable, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::ask_good_size(const Step& step) {
  const auto ask = step.code == OpCode::kGoodSize ? api_.good_size : api_.malloc_good_size;
  enter_subject();
  const uint64_t good = ask(step.args[0]);
  leave();
  return check_good_size(step.args[0], good, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::ask_whether_ours(const Step& step) {
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  const void* const block = step.slot ? heap_.at(*step.slot).bytes() : nullptr;
  enter_subject();
  const bool ours = step.code == OpCode::kCheckOwned ? api_.check_owned(block) : api_.is_in_heap_region(block);
  leave();
  const Block* const model = step.slot ? &heap_.at(*step.slot) : nullptr;
  const bool owner_known = model != nullptr && is_surely_of_this_thread(*model);
  return check_ours(step.code, step.slot.value_or(0), model, owner_known, ours, result_.violation) ? Ran::kDone
                                                                                                   : fail();
}

// Memory changes hands when its thread ends and when others allocate or free.
bool Operations::is_surely_of_this_thread(const Block& block) const {
  const MadeHeaps& made = heap_.made();
  if (heap_.heap_of(block) != MadeHeaps::kBacking || made.default_of(thread_) != MadeHeaps::kBacking) return false;
  // What a heap that is gone has left may be anybody's.
  if (block.heap != MadeHeaps::kBacking) return false;
  return promises_.owns_what_it_gave && !ledger_.concurrent && ledger_.under_way == 1 &&
         block.placed > ledger_.alone_since;
}

void Operations::note_actor(const Step& step) {
  if (ledger_.concurrent) return;
  const bool same =
      step.thread == ledger_.actor && step.code != OpCode::kThreadExit && step.code != OpCode::kTlsDestructor;
  if (!same) ledger_.alone_since = ledger_.placed;
  ledger_.actor = step.thread;
}

}  // namespace assay
