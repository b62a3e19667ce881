// Visits of heaps: what they show is compared with the model where nobody else can change it meanwhile.
#include <cerrno>

#include "harness/exec/destructor.h"
#include "harness/exec/operations.h"
#include "harness/oracle/heap_answer.h"

namespace assay {

bool Operations::walk_heap(uint32_t record, void* handle, bool all_blocks) {
  walk_.start(all_blocks);
  const uint64_t moment = ledger_.moment();
  errno = kErrnoMark;
  const bool visited = subject_.heap_kit().visit_heap(handle, all_blocks, Walk::take, &walk_);
  if (!check_made(OpCode::kHeapVisitBlocks, visited, false, 0, errno, result_.violation)) return false;
  // Others may have changed what it shows before and after it was shown.
  if (!ledger_.is_alone_since(moment)) return true;
  const MadeHeaps& made = heap_.made();
  Walk::Expected expected;
  const bool is_made = record != MadeHeaps::kBacking && !made.at(record).is_backing;
  if (is_made) {
    expected = {.heap = record, .tag = made.at(record).tag, .whole = !made.at(record).tainted};
  } else {
    // Other threads have such heaps, too, and blocks change hands.
    expected.whole = !ledger_.several;
    expected.others = promises_.serves_the_process;
  }
  return walk_.check(heap_, expected, result_.violation);
}

Operations::Ran Operations::visit_heap(const Step& step) {
  const Source source = source_of(step);
  if (!source.runs) return Ran::kSkipped;
  if (source.refusal == 0) {
    enter_subject();
    if (!walk_heap(heap_.made().record_of(step.args[0]), source.handle, step.args[1] != 0)) return fail();
    // Whose pages blocks of several threads lie in is the subject's business.
    outcome_.tells = walk_.was_whole();
    if (outcome_.tells) {
      outcome_.told = walk_.blocks();
      outcome_.told_bytes = walk_.requested_bytes();
    }
    return Ran::kDone;
  }
  walk_.start(true);
  errno = kErrnoMark;
  enter_subject();
  const bool visited = subject_.heap_kit().visit_heap(source.handle, step.args[1] != 0, Walk::take, &walk_);
  const int error = errno;
  leave();
  outcome_.succeeded = false;
  outcome_.error = error;
  return check_refused(step.code, source.refusal, visited ? 0 : error, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::visit_abandoned(const Step& step) {
  walk_.start(step.args[0] != 0);
  const uint64_t moment = ledger_.moment();
  enter_subject();
  const bool visited = subject_.heap_kit().visit_abandoned(step.args[0] != 0, Walk::take, &walk_);
  leave();
  if (!check_made(step.code, visited, false, 0, 0, result_.violation)) return fail();
  if (!ledger_.is_alone_since(moment)) return Ran::kDone;
  return walk_.check(heap_, {.any_heap = true, .whole = false}, result_.violation) ? Ran::kDone : fail();
}

bool Operations::walk_heaps_of(uint32_t thread) {
  const MadeHeaps& made = heap_.made();
  const bool can = subject_.heap_kit().visit_heap != nullptr && api_.heap_get_backing != nullptr;
  if (made.none() || !can || ledger_.concurrent || ledger_.under_way > 1 || in_destructor()) return true;
  for (uint64_t name = 0; name < kMaxHeaps; ++name) {
    const uint32_t record = made.record_of(name);
    if (record == MadeHeaps::kBacking) continue;
    const MadeHeap& heap = made.at(record);
    if (heap.owner != thread || heap.state != HeapState::kLive) continue;
    enter_query();
    const bool right = walk_heap(record, heap.handle, true);
    leave();
    if (!right) return false;
  }
  enter_query();
  void* const backing = api_.heap_get_backing();
  const bool right = backing == nullptr || walk_heap(MadeHeaps::kBacking, backing, true);
  leave();
  return right;
}

// When all other threads have ended: what t0 has and what they have left is all that there is.
bool Operations::walk_everything() {
  const HeapKit& kit = subject_.heap_kit();
  const MadeHeaps& made = heap_.made();
  const bool can = kit.visit_heap != nullptr && kit.visit_abandoned != nullptr && api_.heap_get_backing != nullptr;
  if (!can || ledger_.concurrent || in_destructor() || (!strict_ && made.none())) return true;
  // A thread of whose end nobody was told has left its pages as its own.
  if (ledger_.seam->has_failed(SystemCall::kKeyCreate)) return true;
  walk_.start(true);
  enter_query();
  void* const backing = api_.heap_get_backing();
  bool visited = backing == nullptr || kit.visit_heap(backing, true, Walk::take, &walk_);
  for (uint64_t name = 0; name < kMaxHeaps && visited; ++name) {
    const uint32_t record = made.record_of(name);
    if (record == MadeHeaps::kBacking || made.at(record).owner != 0 || made.at(record).is_backing) continue;
    if (made.at(record).state == HeapState::kLive)
      visited = kit.visit_heap(made.at(record).handle, true, Walk::take, &walk_);
  }
  visited = visited && kit.visit_abandoned(true, Walk::take, &walk_);
  leave();
  return check_made(OpCode::kAbandonedVisitBlocks, visited, false, 0, 0, result_.violation) &&
         walk_.check(heap_, {.any_heap = true, .others = promises_.serves_the_process}, result_.violation);
}

}  // namespace assay
