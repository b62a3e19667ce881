#include "harness/exec/operations.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "harness/exec/comparison.h"
#include "harness/exec/destructor.h"
#include "harness/exec/fork_watch.h"
#include "harness/exec/real_thread.h"
#include "harness/oracle/alignment.h"
#include "harness/oracle/contents.h"
#include "harness/oracle/footprint.h"
#include "harness/oracle/structure.h"
#include "harness/oracle/usable_size.h"

namespace assay {
namespace {

constexpr uint64_t kMaxMillis = uint64_t{1} << 40;
// Strict runs compare every live block after every step until so many bytes were compared.
constexpr uint64_t kStrictBudget = uint64_t{2} << 30;
constexpr uint64_t kSlotCost = 16;  // what looking at one slot costs, in bytes compared
constexpr uint64_t kStructureEveryStep = 2000;
constexpr uint64_t kStructureInterval = 1024;
// Of sampled programs one in so many has the allocator's structure validated at its end: it costs as much as the
// program. Which ones depends on the program alone.
constexpr uint64_t kStructureSampling = 4;
// What a forked child allocates: up to what becomes a mapping of its own everywhere; its thread, up to what costs
// little.
constexpr uint64_t kLargestOfChild = uint64_t{4} << 20;
constexpr uint64_t kLargestOfThread = uint64_t{64} << 10;
// A thread that the program does not know, whose default heap is its first one.
constexpr uint32_t kNoThread = ~uint32_t{0};

}  // namespace

bool goes_on_in_destructor(const Step& step) {
  return step.code == OpCode::kTlsDestructor && step.thread != 0 && has_destructor_round();
}

Operations::Operations(const Subject& subject, const RunOptions& options, ShadowHeap& heap, ReuseTable& reuse,
                       RunResult& result, Ledger& ledger)
    : subject_(subject),
      api_(subject.api()),
      promises_(subject.promises()),
      options_(options),
      heap_(heap),
      reuse_(reuse),
      result_(result),
      progress_(options.progress != nullptr ? options.progress : &own_progress_),
      strict_(options.strictness == Strictness::kStrict),
      ledger_(ledger) {}

void Operations::mix(uint64_t value) {
  uint64_t hash = result_.trace_hash;
  hash = (hash ^ value) * 0x9fb21c651e98df25;
  result_.trace_hash = hash ^ (hash >> 32);
}

void Operations::begin_step(const Step& step) {
  here_ = {step.line, step.member};
  thread_ = step.thread;
  if (step.thread != 0) ledger_.several = true;
  op_code_ = static_cast<uint8_t>(step.code);
  progress_->line = step.line;
  progress_->member = step.member;
  progress_->op_code = op_code_;
  progress_->trace_hash = result_.trace_hash;
  progress_->steps = progress_->steps + 1;
  if (step.code == OpCode::kEnd) {
    end_fails_ = step.fails;
  } else if (step.member == 0) {
    arm(step.line, step.fails);
  }
  ledger_.seam->enter(line_);
  failed_before_ = ledger_.seam->failed();
  outcome_ = {.step = &step,
              .skipped = false,
              .succeeded = true,
              .stayed = false,
              .unlawful = false,
              .error = 0,
              .tells = false,
              .told = 0,
              .told_bytes = 0,
              .requested_bytes = 0,
              .reuse_distance = ~uint64_t{0}};
}

void Operations::arm(uint64_t line, const std::vector<Failure>* fails) {
  if (const std::optional<Failure> missed = line_.armed.never_came();
      missed && !result_.misses_failure && ledger_.seam->watches()) {
    result_.misses_failure = true;
    result_.missed = *missed;
    result_.missed_line = line_.number;
  }
  line_.number = line;
  // Not every subject of a comparison has a seam: nothing fails there.
  const bool arms = fails != nullptr && options_.comparison == nullptr;
  line_.armed.arm(arms ? std::span<const Failure>(*fails) : std::span<const Failure>());
}

bool Operations::seam_is_content() {
  return ledger_.seam->violation() == nullptr || fail_check();
}

void Operations::note_null(const Expectation& expected) {
  if (expected.verdict == Verdict::kMustSucceed && ledger_.seam->may_have_failed(failed_before_)) {
    ++result_.null_by_failure;
  }
}

Expectation Operations::in_view_of_failures(const Expectation& expected) const {
  Expectation changed = expected;
  if (changed.verdict == Verdict::kMustSucceed && ledger_.seam->may_have_failed(failed_before_)) {
    changed.verdict = Verdict::kEither;
  }
  return changed;
}

Operations::Ran Operations::fail() {
  leave();
  Violation& violation = result_.violation;
  // What came of a call that does harm is a consequence.
  if (const Violation* const objection = ledger_.seam->violation()) violation = *objection;
  violation.line = here_.line;
  violation.member = here_.member;
  violation.op_code = op_code_;
  return Ran::kViolated;
}

bool Operations::run(const Step& step) {
  begin_step(step);
  ++result_.tried[op_code_];
  ++ledger_.under_way;
  ++ledger_.begun;
  moment_ = ledger_.moment();
  note_actor(step);
  const Ran ran = dispatch(step);
  leave();
  note_actor(step);
  --ledger_.under_way;
  if (ran == Ran::kViolated || !seam_is_content()) return false;
  outcome_.skipped = ran == Ran::kSkipped;
  if (ran == Ran::kDone) note_exit(step);
  if (outcome_.skipped) {
    ++result_.skipped;
    outcome_.succeeded = false;
  } else {
    ++result_.executed;
    ++result_.executed_by_op[op_code_];
    result_.succeeded[op_code_] += outcome_.succeeded ? 1 : 0;
  }
  mix(op_code_ | uint64_t{outcome_.skipped} << 8 | uint64_t{outcome_.succeeded} << 9 |
      static_cast<uint64_t>(outcome_.error) << 16);
  if (options_.observer != nullptr) options_.observer->on_outcome(outcome_);
  if (options_.comparison != nullptr && !note_for_comparison(step)) return false;
  // A thread that is about to exit has done nothing yet: check_after_exit() follows.
  return outcome_.skipped || !strict_ || step.code == OpCode::kThreadExit || check_after_step();
}

bool Operations::may_go_on(uintptr_t address) {
  if (options_.comparison == nullptr || address != 0) return false;
  outcome_.unlawful = true;
  result_.violation = Violation{};
  return true;
}

bool Operations::note_for_comparison(const Step& step) {
  Comparison& comparison = *options_.comparison;
  const auto line = static_cast<uint32_t>(step.line);
  const auto member = static_cast<uint32_t>(step.member);
  for (; comparison.next_drop < comparison.drop_count; ++comparison.next_drop) {
    const Drop& drop = comparison.drops[comparison.next_drop];
    if (drop.line != line || drop.member != member) break;
    if (heap_.live(drop.slot) && !free_block(drop.slot)) return fail_check();
  }
  const Block* const given = step.result_slot && heap_.live(*step.result_slot) ? &heap_.at(*step.result_slot) : nullptr;
  comparison.note({.line = line,
                   .member = member,
                   .code = step.code,
                   .skipped = outcome_.skipped,
                   .succeeded = outcome_.succeeded,
                   .unlawful = outcome_.unlawful,
                   .slot_live = step.slot && heap_.live(*step.slot),
                   .result_live = given != nullptr,
                   .stayed = outcome_.stayed,
                   .tells = outcome_.tells,
                   .error = outcome_.succeeded ? 0 : outcome_.error,
                   .told = outcome_.told,
                   .told_bytes = outcome_.told_bytes,
                   .address = given != nullptr ? given->address : 0,
                   .usable = given != nullptr ? given->usable : 0});
  return true;
}

bool can_be_asked(const Subject& subject, OpCode code) {
  // What libraries allocate meanwhile would be in that heap, and go with it.
  if (code == OpCode::kHeapSetDefault && subject.promises().serves_the_process) return false;
  switch (code) {
#define ASSAY_FUNCTION(id, name, Result, parameters) \
  case OpCode::k##id: return subject.api().name != nullptr;
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
#define ASSAY_HEAP_FUNCTION(id, name, Result, parameters) \
  case OpCode::k##id: return subject.api().name != nullptr;
#include "harness/subject/heap_functions.def"
#undef ASSAY_HEAP_FUNCTION
    case OpCode::kHeapNewEx: return subject.heap_kit().heap_new_ex != nullptr;
    case OpCode::kHeapNewInArena: return subject.heap_kit().heap_new_in_arena != nullptr;
    case OpCode::kHeapVisitBlocks: return subject.heap_kit().visit_heap != nullptr;
    case OpCode::kAbandonedVisitBlocks: return subject.heap_kit().visit_abandoned != nullptr;
    case OpCode::kReserveOsMemory:
    case OpCode::kReserveOsMemoryEx: return subject.heap_kit().reserve != nullptr;
    case OpCode::kManageOsMemory:
    case OpCode::kManageOsMemoryEx:
      return subject.heap_kit().manage != nullptr && subject.heap_kit().map_memory != nullptr;
    case OpCode::kArenaArea: return subject.heap_kit().area != nullptr;
    case OpCode::kOptionSet:
    case OpCode::kOptionGet: return subject.heap_kit().set_option != nullptr;
    case OpCode::kOptionSetDefault: return subject.heap_kit().default_option != nullptr;
    case OpCode::kStatsPrint: return subject.heap_kit().print != nullptr;
    case OpCode::kRegisterDeferredFree: return subject.heap_kit().defer != nullptr;
    case OpCode::kReserveHugePages: return subject.heap_kit().reserve_huge != nullptr;
    case OpCode::kCheckStatistics: return subject.heap_kit().statistic != nullptr;
    case OpCode::kAdvanceClock: return subject.instruments().advance_clock != nullptr;
    default: return true;
  }
}

AskableOperations askable_operations(const Subject& subject) {
  AskableOperations askable{};
  for (const OpInfo& op : all_ops()) askable[static_cast<size_t>(op.code)] = can_be_asked(subject, op.code);
  return askable;
}

bool Operations::can_call(OpCode code) const {
  return can_be_asked(subject_, code) &&
         (options_.comparison == nullptr || options_.comparison->askable[static_cast<size_t>(code)]);
}

Operations::Ran Operations::dispatch(const Step& step) {
  if (!can_call(step.code)) return Ran::kSkipped;
  switch (info(step.code).result) {
    case ResultKind::kFills: return allocate(step);
    case ResultKind::kMoves: return resize(step);
    case ResultKind::kEmpties: return release(step);
    case ResultKind::kNone: break;
  }
  switch (step.code) {
    case OpCode::kExpand: return expand(step);
    case OpCode::kUsableSize:
    case OpCode::kMallocSize: return ask_usable_size(step);
    case OpCode::kGoodSize:
    case OpCode::kMallocGoodSize: return ask_good_size(step);
    case OpCode::kCheckOwned:
    case OpCode::kIsInHeapRegion: return ask_whether_ours(step);
    case OpCode::kCollect: return collect(step);
    case OpCode::kAdvanceClock: return advance_clock(step);
    case OpCode::kFork: return fork_process();
    case OpCode::kCheck: return check_one(step);
    case OpCode::kCheckAll: return check_everything();
    case OpCode::kOsHeal: ledger_.seam->heal(); return Ran::kDone;
    case OpCode::kEnd: return Ran::kSkipped;
    case OpCode::kThreadExit: return step.thread == 0 ? Ran::kSkipped : Ran::kDone;
    case OpCode::kTlsDestructor: return goes_on_in_destructor(step) ? Ran::kDone : Ran::kSkipped;
    default: return dispatch_heap(step);
  }
}

bool Operations::verify(uint64_t slot) {
  enter_block();
  const bool right = check_contents(slot, heap_.at(slot), result_.violation);
  leave();
  return right;
}

bool Operations::verify_all() {
  for (uint64_t slot = 0; slot < heap_.slot_count(); ++slot) {
    if (heap_.live(slot) && !verify(slot)) return false;
  }
  return true;
}

Operations::Ran Operations::collect(const Step& step) {
  enter_subject();
  api_.collect(step.args[0] != 0);
  leave();
  return Ran::kDone;
}

Operations::Ran Operations::advance_clock(const Step& step) {
  enter_subject();
  subject_.instruments().advance_clock(std::min(step.args[0], kMaxMillis));
  leave();
  return Ran::kDone;
}

Operations::Ran Operations::check_one(const Step& step) {
  if (!step.slot || !heap_.live(*step.slot)) return Ran::kSkipped;
  return usable_size_kept(*step.slot) && verify(*step.slot) ? Ran::kDone : fail();
}

bool Operations::check_structure_now() {
  enter_query();
  const bool right = check_structure(subject_, result_.violation);
  leave();
  return right;
}

Operations::Ran Operations::check_everything() {
  const bool alone = ledger_.under_way == 1;
  return verify_all() && (!alone || (check_structure_now() && walk_heaps_of(thread_))) ? Ran::kDone : fail();
}

bool Operations::check_after_step() {
  if (ledger_.concurrent || options_.whole_at_end_only) return true;
  const uint64_t cost = heap_.live_extent() + heap_.slot_count() * kSlotCost;
  if (cost <= kStrictBudget - ledger_.compared) {
    ledger_.compared += cost;
    if (!verify_all()) return fail_check();
  }
  ++ledger_.structure_checks;
  if (ledger_.under_way > 0) return true;
  if (ledger_.structure_checks <= kStructureEveryStep || ledger_.structure_checks % kStructureInterval == 0) {
    if (!check_structure_now()) return fail_check();
  }
  return true;
}

void Operations::begin_end(const std::vector<Failure>* fails) {
  arm(kNoOperation, fails != nullptr ? fails : end_fails_);
  ledger_.seam->enter(line_);
  failed_before_ = ledger_.seam->failed();
  here_ = {kNoOperation, 0};
  op_code_ = 255;
  thread_ = 0;
  progress_->line = kNoOperation;
  progress_->member = 0;
  progress_->op_code = 255;
}

bool Operations::check_and_free_all() {
  // Each block is compared once more right before it is freed.
  if (strict_ && !verify_all()) return fail_check();
  if ((strict_ || result_.trace_hash % kStructureSampling == 0) && !check_structure_now()) return fail_check();
  if (!walk_heaps_of(0) || !walk_everything()) return fail_check();
  for (uint64_t slot = 0; slot < heap_.slot_count(); ++slot) {
    if (!heap_.live(slot)) continue;
    progress_->steps = progress_->steps + 1;
    if (!free_block(slot)) return fail_check();
  }
  if (!end_heaps_left()) return fail_check();
  if (strict_ && !check_structure_now()) return fail_check();
  return seam_is_content();
}

bool Operations::check_footprint_against(const Footprint& warmed_up) {
  arm(kNoOperation, nullptr);
  ledger_.seam->heal();
  ledger_.seam->stop_noting();
  enter_query();
  restore_options();
  const Footprint settled = settled_footprint(subject_);
  leave();
  if (!seam_is_content()) return false;
  // A thread that could not ask to be told of its end leaves its pages behind as its own.
  if (ledger_.seam->has_failed(SystemCall::kKeyCreate) || heap_.made().never_purged) return true;
  Footprint allowed = warmed_up;
  // Of what the program has reserved accessible nothing need go back that was never used.
  allowed.committed_bytes += heap_.made().committed_bytes;
  return check_footprint(allowed, settled, result_.violation) || fail_check();
}

Operations::Ran Operations::fork_process() {
  enter_subject();
  const bool right = run_forked(*this, options_.fork_limit_ms, result_.violation);
  leave();
  return right ? Ran::kDone : fail();
}

bool Operations::allocate_each_class(uint64_t largest) {
  // Steps of 12.5 %, as fine as any allocator's classes.
  constexpr uint64_t kLargestClass = uint64_t{640} << 10;
  uint64_t slot = heap_.slot_count();
  for (uint64_t size = 1; size <= largest; size += size < 128 ? 8 : size < kLargestClass ? size / 8 : size) {
    enter_subject();
    void* bytes = api_.malloc(size);
    leave();
    if (bytes == nullptr) continue;
    Block block;
    block.address = reinterpret_cast<uintptr_t>(bytes);
    block.requested = size;
    block.heap = heap_.made().default_of(thread_);
    if (!adopt(slot++, block, {.alignment = natural_alignment(size)})) return false;
  }
  return true;
}

bool Operations::free_one_in(uint64_t step) {
  for (uint64_t at = 0; at < heap_.slot_count(); at += step) {
    if (heap_.live(at) && !free_block(at)) return false;
  }
  return true;
}

// What a thread of a forked child does: frees blocks that threads allocated which are no more, and leaves some behind.
bool Operations::live_in_forked_child() {
  ledger_.seam->enter(line_);
  thread_ = kNoThread;
  return free_one_in(2) && allocate_each_class(kLargestOfThread) && free_one_in(3) && check_structure_in_child();
}

// What a thread that is no more held between two steps is lost, and the validators would find that.
bool Operations::check_structure_in_child() {
  return ledger_.under_way > 1 || check_structure_now();
}

bool Operations::start_thread_in_forked_child() {
  struct Life {
    Operations& operations;
    bool right;
  } life{*this, true};
  const auto live = [](void* argument) -> void* {
    Life& mine = *static_cast<Life*>(argument);
    mine.right = mine.operations.live_in_forked_child();
    return nullptr;
  };
  try {
    pthread_join(start_thread(live, &life), nullptr);
  } catch (const std::runtime_error&) {
    // The system may be out of threads; the child has done its other work.
  }
  return life.right;
}

bool Operations::run_in_forked_child() {
  progress_ = &own_progress_;
  inside_subject = false;
  strict_ = false;
  if (subject_.instruments().set_access_hooks != nullptr) subject_.instruments().set_access_hooks(nullptr);
  if (!verify_all() || !allocate_each_class(kLargestOfChild) || !start_thread_in_forked_child()) return false;
  return verify_all() && free_one_in(1) && check_structure_in_child() && seam_is_content();
}

}  // namespace assay
