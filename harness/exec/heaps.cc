// Heaps that a program makes: which one a call allocates from, who may use or end it, and what becomes of its blocks.
#include <algorithm>
#include <cerrno>
#include <climits>

#include "harness/exec/destructor.h"
#include "harness/exec/operations.h"
#include "harness/oracle/arena.h"
#include "harness/oracle/heap_answer.h"

namespace assay {
namespace {

// In sampled runs so many blocks are looked for in the heap that has just given them.
constexpr uint64_t kOwnerOneIn = 16;

}  // namespace

Operations::Ran Operations::dispatch_heap(const Step& step) {
  switch (step.code) {
    case OpCode::kHeapNew:
    case OpCode::kHeapNewEx:
    case OpCode::kHeapNewInArena:
    case OpCode::kHeapGetBacking: return make_heap(step);
    case OpCode::kHeapDelete:
    case OpCode::kHeapDestroy: return end_heap(step);
    case OpCode::kHeapSetDefault: return set_default_heap(step);
    case OpCode::kHeapGetDefault: return get_default_heap(step);
    case OpCode::kHeapCollect: return collect_heap(step);
    case OpCode::kHeapContainsBlock:
    case OpCode::kHeapCheckOwned: return ask_heap(step);
    case OpCode::kHeapVisitBlocks: return visit_heap(step);
    case OpCode::kAbandonedVisitBlocks: return visit_abandoned(step);
    case OpCode::kReserveOsMemory:
    case OpCode::kReserveOsMemoryEx:
    case OpCode::kManageOsMemory:
    case OpCode::kManageOsMemoryEx: return make_arena(step);
    case OpCode::kArenaArea: return ask_area(step);
    case OpCode::kOptionSet:
    case OpCode::kOptionSetDefault: return change_option(step);
    case OpCode::kOptionGet: return get_option(step);
    case OpCode::kStatsPrint: return print_all();
    case OpCode::kRegisterDeferredFree: return defer(step);
    case OpCode::kReserveHugePages: return make_huge_arena(step);
    case OpCode::kCollectReduce: return collect_and_reduce(step);
    case OpCode::kPageIsUnderUtilized: return ask_utilization(step);
    case OpCode::kHeapGuardedRate:
    case OpCode::kHeapGuardedBound: return guard_heap(step);
    case OpCode::kCheckStatistics: return check_statistics_now() ? Ran::kDone : fail();
    default: return Ran::kSkipped;
  }
}

Operations::Source Operations::source_of(const Step& step) const {
  const MadeHeaps& made = heap_.made();
  Source source;
  uint32_t record = made.default_of(step.thread);
  if (info(step.code).args[0] == ArgKind::kHeap) {
    if (step.args[0] == kNoName) return {.runs = promises_.heap_calls_are_checked, .refusal = EINVAL};
    record = made.record_of(step.args[0]);
    if (record == MadeHeaps::kBacking) return {.runs = false};
    const MadeHeap& heap = made.at(record);
    source.handle = heap.handle;
    if (heap.state != HeapState::kLive) return {.runs = false};
    if (heap.owner != step.thread) {
      // A thread that has no more to do ends while others go on, and then its first heap may be another thread's.
      if (heap.is_backing && ledger_.concurrent) return {.runs = false};
      return {.runs = promises_.heap_calls_are_checked, .handle = heap.handle, .refusal = EPERM};
    }
  } else if (record == MadeHeaps::kUnknown) {
    source.unknown = true;
    record = MadeHeaps::kBacking;
  }
  if (record == MadeHeaps::kBacking) return source;
  const MadeHeap& heap = made.at(record);
  if (!heap.is_backing) source.heap = record;
  if (heap.arena != 0) source.bound = &made.arena_at(heap.arena);
  return source;
}

Expectation Operations::in_view_of_source(const Expectation& expected, const Source& source) const {
  Expectation changed = expected;
  if (source.refusal != 0) {
    // Which of two things is found wrong first is the subject's business.
    changed.any_error = expected.any_error || expected.verdict == Verdict::kMustFail;
    changed.other_error = expected.verdict == Verdict::kEither ? ENOMEM : source.refusal;
    changed.verdict = Verdict::kMustFail;
    changed.error = source.refusal;
  } else if (expected.verdict == Verdict::kMustSucceed &&
             (source.bound != nullptr || source.unknown || heap_.made().limited)) {
    changed.verdict = Verdict::kEither;
  }
  return changed;
}

bool Operations::is_due(const Step& step, const Source& source, const Expectation& expected) {
  // Else there may be room by now that there was not.
  const bool alone = ledger_.is_alone_since(moment_);
  if (source.bound == nullptr || expected.verdict == Verdict::kMustFail || !alone) return true;
  if (ledger_.seam->may_have_failed(failed_before_)) return true;
  enter_query();
  const bool due =
      check_not_spurious(step.code, subject_.heap_kit(), *source.bound, expected.request, result_.violation);
  leave();
  return due;
}

bool Operations::check_source(const Step& step, const Source& source, uint64_t slot, bool is_new) {
  const Block& block = heap_.at(slot);
  // What a heap that has been deleted left to this one is where it was, in an arena that is nobody's else, too.
  const bool has_to_fit = !source.unknown && (is_new || source.bound != nullptr);
  if (has_to_fit && !check_arena_of(heap_.made(), source.bound, slot, block, result_.violation)) return false;
  const bool asks =
      source.handle != nullptr && api_.heap_contains_block != nullptr && (strict_ || ledger_.serial % kOwnerOneIn == 0);
  if (!asks) return true;
  enter_query();
  const bool belongs = api_.heap_contains_block(source.handle, block.bytes());
  leave();
  return check_belongs(step.code, slot, true, belongs, result_.violation);
}

Operations::Ran Operations::make_heap(const Step& step) {
  MadeHeaps& made = heap_.made();
  const uint64_t name = step.args[0];
  if (made.record_of(name) != MadeHeaps::kBacking) return Ran::kSkipped;
  MadeHeap heap{};
  heap.owner = step.thread;
  heap.state = HeapState::kLive;
  heap.destroys = true;
  const HeapKit& kit = subject_.heap_kit();
  int refusal = 0;
  void* arena = nullptr;
  if (step.code == OpCode::kHeapNewEx || step.code == OpCode::kHeapNewInArena) {
    const uint64_t arena_name = step.args[step.code == OpCode::kHeapNewEx ? 3 : 1];
    heap.arena = made.arena_index(arena_name);
    if (arena_name != kNoName && heap.arena == 0) return Ran::kSkipped;
    if (heap.arena != 0) arena = made.arena_at(heap.arena).handle;
    if (step.code == OpCode::kHeapNewInArena && arena == nullptr) refusal = EINVAL;
  }
  if (step.code == OpCode::kHeapNewEx) {
    if (step.args[1] > UINT8_MAX) refusal = EINVAL;
    heap.tag = static_cast<uint8_t>(step.args[1]);
    heap.destroys = step.args[2] != 0;
  }
  heap.is_backing = step.code == OpCode::kHeapGetBacking;
  errno = kErrnoMark;
  enter_subject();
  switch (step.code) {
    case OpCode::kHeapNewEx:
      heap.handle = kit.heap_new_ex(static_cast<int>(std::min<uint64_t>(step.args[1], INT_MAX)), heap.destroys, arena);
      break;
    case OpCode::kHeapNewInArena: heap.handle = kit.heap_new_in_arena(arena); break;
    case OpCode::kHeapGetBacking: heap.handle = api_.heap_get_backing(); break;
    default: heap.handle = api_.heap_new(); break;
  }
  const int error = errno;
  leave();
  outcome_.succeeded = heap.handle != nullptr;
  if (!outcome_.succeeded) outcome_.error = error;
  Violation& violation = result_.violation;
  if (refusal != 0) return check_refused(step.code, refusal, outcome_.error, violation) ? Ran::kDone : fail();
  const bool may_fail = ledger_.seam->may_have_failed(failed_before_) || made.limited;
  if (!check_made(step.code, outcome_.succeeded, may_fail, ENOMEM, error, violation)) return fail();
  if (outcome_.succeeded) made.make(name, heap);
  return Ran::kDone;
}

bool Operations::forget_blocks_of(uint32_t heap) {
  for (uint64_t slot = 0; slot < heap_.slot_count(); ++slot) {
    if (!heap_.live(slot) || heap_.heap_of(heap_.at(slot)) != heap) continue;
    if (!usable_size_kept(slot) || !verify(slot)) return false;
    const Block block = heap_.at(slot);
    forget(slot, block);
  }
  return true;
}

Operations::Ran Operations::end_no_heap(const Step& step) {
  if (!promises_.heap_calls_are_checked) return Ran::kSkipped;
  errno = kErrnoMark;
  enter_subject();
  (step.code == OpCode::kHeapDestroy ? api_.heap_destroy : api_.heap_delete)(nullptr);
  const int error = errno;
  leave();
  outcome_.succeeded = false;
  outcome_.error = error;
  return check_refused(step.code, EINVAL, error, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::end_heap(const Step& step) {
  MadeHeaps& made = heap_.made();
  if (step.args[0] == kNoName) return end_no_heap(step);
  const uint32_t record = made.record_of(step.args[0]);
  if (record == MadeHeaps::kBacking) return Ran::kSkipped;
  const MadeHeap heap = made.at(record);
  const bool checked = promises_.heap_calls_are_checked;
  const bool by_owner = heap.owner == step.thread && heap.state != HeapState::kOrphan;
  if (heap.state == HeapState::kUncertain && !by_owner) return Ran::kSkipped;
  // Whether the subject takes the heap's thread for one that has ended depends on what that thread is about to do, or
  // on whether the subject could ask to be told.
  const bool ends_now = ledger_.under_way > 1 || (ledger_.concurrent && heap.state == HeapState::kLive);
  const bool unsure = !by_owner && (ends_now || ledger_.seam->has_failed(SystemCall::kKeyCreate));
  const bool legal = !heap.is_backing && (by_owner || heap.state == HeapState::kOrphan);
  const bool frees = step.code == OpCode::kHeapDestroy && heap.destroys;
  if ((unsure || !legal) && !checked) return Ran::kSkipped;
  if (unsure && (frees || heap.is_backing)) return Ran::kSkipped;
  // Nothing orders it after the end of the heap's thread: a load may say that the thread lives. Then the blocks live,
  // too.
  if (frees && !by_owner && ledger_.older_values != nullptr) return Ran::kSkipped;
  if (frees && heap.tainted) return Ran::kSkipped;
  if (legal && frees && !forget_blocks_of(record)) return fail();
  const uint64_t older = ledger_.older();
  errno = kErrnoMark;
  enter_subject();
  (step.code == OpCode::kHeapDestroy ? api_.heap_destroy : api_.heap_delete)(heap.handle);
  const int error = errno;
  leave();
  const bool sees_the_end = by_owner || ledger_.older() == older;
  const bool refused = checked && (error == EPERM || error == EINVAL);
  outcome_.succeeded = !refused;
  outcome_.error = refused ? error : 0;
  if (!unsure && sees_the_end && !check_refused(step.code, legal ? 0 : EPERM, outcome_.error, result_.violation))
    return fail();
  if (!refused) made.end(step.args[0]);
  return Ran::kDone;
}

Operations::Ran Operations::set_default_heap(const Step& step) {
  MadeHeaps& made = heap_.made();
  const Source source = source_of(step);
  if (!source.runs || in_destructor() || made.default_of(step.thread) == MadeHeaps::kUnknown) return Ran::kSkipped;
  const uint32_t before = made.default_of(step.thread);
  errno = kErrnoMark;
  enter_subject();
  const void* const answer = api_.heap_set_default(source.handle);
  const int error = errno;
  leave();
  outcome_.succeeded = answer != nullptr;
  if (source.refusal != 0) {
    outcome_.error = error;
    return check_refused(step.code, source.refusal, answer == nullptr ? error : 0, result_.violation) ? Ran::kDone
                                                                                                      : fail();
  }
  // Asked when the thread has begun: the subject begins it under a lock, which belongs to the call that is judged.
  enter_query();
  const void* const expected = before != MadeHeaps::kBacking      ? made.at(before).handle
                               : api_.heap_get_backing != nullptr ? api_.heap_get_backing()
                                                                  : nullptr;
  leave();
  if (expected != nullptr && !check_same_heap(step.code, expected, answer, result_.violation)) return fail();
  made.set_default(step.thread, source.heap);
  return Ran::kDone;
}

Operations::Ran Operations::get_default_heap(const Step& step) {
  const MadeHeaps& made = heap_.made();
  const uint32_t record = made.default_of(step.thread);
  if (in_destructor() || record == MadeHeaps::kUnknown) return Ran::kSkipped;
  enter_subject();
  const void* const answer = api_.heap_get_default();
  leave();
  // A thread's first heap has to be made, and the system may have refused.
  const bool is_made = record != MadeHeaps::kBacking;
  if (answer == nullptr && !is_made && ledger_.seam->may_have_failed(failed_before_)) return Ran::kDone;
  enter_query();
  const void* const expected = is_made                            ? made.at(record).handle
                               : api_.heap_get_backing != nullptr ? api_.heap_get_backing()
                                                                  : answer;
  leave();
  return check_same_heap(step.code, expected, answer, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::collect_heap(const Step& step) {
  const Source source = source_of(step);
  if (!source.runs) return Ran::kSkipped;
  errno = kErrnoMark;
  enter_subject();
  api_.heap_collect(source.handle, step.args[1] != 0);
  const int error = errno;
  leave();
  if (source.refusal == 0) return Ran::kDone;
  outcome_.succeeded = false;
  outcome_.error = error;
  return check_refused(step.code, source.refusal, error, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::guard_heap(const Step& step) {
  const Source source = source_of(step);
  if (!source.runs) return Ran::kSkipped;
  const auto set =
      step.code == OpCode::kHeapGuardedRate ? api_.heap_guarded_set_sample_rate : api_.heap_guarded_set_size_bound;
  errno = kErrnoMark;
  enter_subject();
  set(source.handle, step.args[1], step.args[2]);
  const int error = errno;
  leave();
  if (source.refusal == 0) return Ran::kDone;
  outcome_.succeeded = false;
  outcome_.error = error;
  return check_refused(step.code, source.refusal, error, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::collect_and_reduce(const Step& step) {
  enter_subject();
  api_.collect_reduce(step.args[0]);
  leave();
  return Ran::kDone;
}

// Where the blocks of a page lie nobody but the subject knows; what the model knows is that nothing of what another
// heap has is in use in this one.
Operations::Ran Operations::ask_utilization(const Step& step) {
  const Source source = source_of(step);
  if (!source.runs || step.args[0] == kNoName) return Ran::kSkipped;
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  const Block* const block = step.slot ? &heap_.at(*step.slot) : nullptr;
  errno = kErrnoMark;
  enter_subject();
  const bool answer =
      api_.unsafe_heap_page_is_under_utilized(source.handle, block == nullptr ? nullptr : block->bytes(), step.args[2]);
  const int error = errno;
  leave();
  if (source.refusal != 0) {
    // A thread without a heap of its own is told no before its heap is looked at.
    return check_refused(step.code, source.refusal,
                         answer                ? 0
                         : error == kErrnoMark ? source.refusal
                                               : error,
                         result_.violation)
               ? Ran::kDone
               : fail();
  }
  if (block == nullptr) return check_belongs(step.code, 0, false, answer, result_.violation) ? Ran::kDone : fail();
  return Ran::kDone;
}

Operations::Ran Operations::ask_heap(const Step& step) {
  const MadeHeaps& made = heap_.made();
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  if (step.args[0] == kNoName && !promises_.heap_calls_are_checked) return Ran::kSkipped;
  const uint32_t record = made.record_of(step.args[0]);
  if (step.args[0] != kNoName && record == MadeHeaps::kBacking) return Ran::kSkipped;
  void* const handle = record == MadeHeaps::kBacking ? nullptr : made.at(record).handle;
  const Block* const block = step.slot ? &heap_.at(*step.slot) : nullptr;
  const auto ask = step.code == OpCode::kHeapContainsBlock ? api_.heap_contains_block : api_.heap_check_owned;
  enter_subject();
  const bool answer = ask(handle, block == nullptr ? nullptr : block->bytes());
  leave();
  bool expected = false;
  if (block != nullptr && handle != nullptr) {
    const MadeHeap& heap = made.at(record);
    // Whose a block is that no heap was named for, or while threads run at a time, is not known.
    if (ledger_.concurrent || ledger_.under_way > 1) return Ran::kDone;
    const uint32_t owner = heap_.heap_of(*block);
    if (owner == MadeHeaps::kBacking && (heap.tainted || (heap.is_backing && ledger_.several))) return Ran::kDone;
    expected = owner == (heap.is_backing ? MadeHeaps::kBacking : record);
  }
  outcome_.tells = true;
  outcome_.told = answer ? 1 : 0;
  return check_belongs(step.code, step.slot.value_or(0), expected, answer, result_.violation) ? Ran::kDone : fail();
}

void Operations::note_exit(const Step& step) {
  const bool exits = step.code == OpCode::kThreadExit;
  if (heap_.made().none() || (!exits && step.code != OpCode::kTlsDestructor)) return;
  // Where heaps are not checked they end with their thread.
  const HeapState after = exits ? HeapState::kOrphan : HeapState::kUncertain;
  heap_.made().leave_thread(step.thread, promises_.heap_calls_are_checked ? after : HeapState::kGone);
}

bool Operations::end_heaps_left() {
  MadeHeaps& made = heap_.made();
  if (made.none()) return true;
  for (uint64_t name = 0; name < kMaxHeaps; ++name) {
    const uint32_t record = made.record_of(name);
    if (record == MadeHeaps::kBacking) continue;
    const MadeHeap heap = made.at(record);
    made.end(name);
    if (heap.is_backing || (heap.owner != 0 && !promises_.heap_calls_are_checked)) continue;
    errno = kErrnoMark;
    enter_subject();
    api_.heap_delete(heap.handle);
    const int error = errno;
    leave();
    if (!promises_.heap_calls_are_checked || ledger_.seam->has_failed(SystemCall::kKeyCreate)) continue;
    const int refusal = error == EPERM || error == EINVAL ? error : 0;
    if (!check_refused(OpCode::kHeapDelete, 0, refusal, result_.violation)) return false;
  }
  return true;
}

}  // namespace assay
