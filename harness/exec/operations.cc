#include "harness/exec/operations.h"

#include <algorithm>
#include <cerrno>

#include "harness/exec/fork_watch.h"
#include "harness/oracle/alignment.h"
#include "harness/oracle/contents.h"
#include "harness/oracle/footprint.h"
#include "harness/oracle/outside.h"
#include "harness/oracle/overlap.h"
#include "harness/oracle/structure.h"
#include "harness/oracle/usable_size.h"
#include "harness/oracle/zeroing.h"

namespace assay {
namespace {

constexpr int kErrnoMark = 0x5A5A;  // no error has this number
constexpr uint64_t kMaxMillis = uint64_t{1} << 40;
// Blocks that kJudgedBytes does not cover may hold this much address space together.
constexpr uint64_t kMaxBeyondJudgement = uint64_t{256} << 30;
// Strict runs compare every live block after every step until so many bytes were compared.
constexpr uint64_t kStrictBudget = uint64_t{2} << 30;
constexpr uint64_t kSlotCost = 16;  // what looking at one slot costs, in bytes compared
constexpr uint64_t kStructureEveryStep = 2000;
constexpr uint64_t kStructureInterval = 1024;
// Of sampled programs one in so many has the allocator's structure validated at its end: it costs as much as the
// program. Which ones depends on the program alone.
constexpr uint64_t kStructureSampling = 4;

}  // namespace

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
  op_code_ = static_cast<uint8_t>(step.code);
  progress_->line = step.line;
  progress_->member = step.member;
  progress_->op_code = op_code_;
  progress_->steps = progress_->steps + 1;
  outcome_ = {.step = &step,
              .skipped = false,
              .succeeded = true,
              .error = 0,
              .requested_bytes = 0,
              .reuse_distance = ~uint64_t{0}};
}

Operations::Ran Operations::fail() {
  leave();
  Violation& violation = result_.violation;
  violation.line = here_.line;
  violation.member = here_.member;
  violation.op_code = op_code_;
  return Ran::kViolated;
}

bool Operations::run(const Step& step) {
  begin_step(step);
  ++result_.tried[op_code_];
  ++ledger_.under_way;
  const Ran ran = dispatch(step);
  leave();
  --ledger_.under_way;
  if (ran == Ran::kViolated) return false;
  outcome_.skipped = ran == Ran::kSkipped;
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
  // A thread that is about to exit has done nothing yet: check_after_exit() follows.
  return outcome_.skipped || !strict_ || step.code == OpCode::kThreadExit || check_after_step();
}

bool Operations::can_call(OpCode code) const {
  switch (code) {
    case OpCode::kCalloc: return api_.calloc != nullptr;
    case OpCode::kRealloc: return api_.realloc != nullptr;
    case OpCode::kAlignedAlloc: return api_.aligned_alloc != nullptr;
    case OpCode::kPosixMemalign: return api_.posix_memalign != nullptr;
    case OpCode::kUsableSize: return api_.usable_size != nullptr;
    case OpCode::kCollect: return api_.collect != nullptr;
    case OpCode::kAdvanceClock: return subject_.instruments().advance_clock != nullptr;
    default: return true;
  }
}

Operations::Ran Operations::dispatch(const Step& step) {
  if (!can_call(step.code)) return Ran::kSkipped;
  switch (step.code) {
    case OpCode::kMalloc:
    case OpCode::kCalloc:
    case OpCode::kAlignedAlloc:
    case OpCode::kPosixMemalign: return allocate(step);
    case OpCode::kRealloc: return resize(step);
    case OpCode::kFree: return release(step);
    case OpCode::kUsableSize: return ask_usable_size(step);
    case OpCode::kCollect: return collect(step);
    case OpCode::kAdvanceClock: return advance_clock(step);
    case OpCode::kFork: return fork_process();
    case OpCode::kCheck: return check_one(step);
    case OpCode::kCheckAll: return check_everything();
    case OpCode::kOsHeal: return Ran::kDone;
    case OpCode::kEnd: return Ran::kSkipped;
    case OpCode::kThreadExit: return step.thread == 0 ? Ran::kSkipped : Ran::kDone;
  }
  return Ran::kSkipped;
}

bool Operations::affordable(const Expectation& expected, uint64_t charge_given_back) const {
  if (expected.verdict == Verdict::kMustFail) return true;
  if (expected.charge > kJudgedBytes) {
    // What no address space holds must fail at once, and a seam refuses; the rest might succeed, lazily, and cost
    // seconds.
    return expected.charge >= kAddressLimit || promises_.limits_at_seam ||
           heap_.unjudged_charge() + expected.charge <= kMaxBeyondJudgement;
  }
  return heap_.judged_charge() - charge_given_back + expected.charge <= options_.live_bytes_cap;
}

// A seam refuses such a block. Others may clear it by hand, and the host's memory would decide what comes of that.
bool Operations::too_large_to_clear(const Expectation& expected) const {
  return expected.charge > kJudgedBytes && expected.charge < kAddressLimit && !promises_.limits_at_seam;
}

Operations::Answer Operations::call_allocator(const Step& step) {
  Answer answer;
  enter_subject();
  errno = kErrnoMark;
  void* block = nullptr;
  switch (step.code) {
    case OpCode::kMalloc: block = api_.malloc(step.args[0]); break;
    case OpCode::kCalloc: block = api_.calloc(step.args[0], step.args[1]); break;
    case OpCode::kAlignedAlloc: block = api_.aligned_alloc(step.args[0], step.args[1]); break;
    case OpCode::kPosixMemalign: {
      void* const mark = &answer;
      void* out = mark;
      const int error = api_.posix_memalign(&out, step.args[0], step.args[1]);
      answer.errno_untouched = errno == kErrnoMark;
      answer.out_untouched = out == mark;
      leave();
      answer.error = error;
      answer.address = error == 0 ? reinterpret_cast<uintptr_t>(out) : 0;
      return answer;
    }
    default: break;
  }
  answer.error = errno;
  leave();
  answer.address = reinterpret_cast<uintptr_t>(block);
  return answer;
}

Operations::Ran Operations::allocate(const Step& step) {
  if (!step.result_slot || heap_.live(*step.result_slot)) return Ran::kSkipped;
  const Expectation expected = expect(step.code, step.args.data(), promises_);
  if (expected.verdict == Verdict::kUnknown || !affordable(expected, 0)) return Ran::kSkipped;
  const bool zeroed = step.code == OpCode::kCalloc;
  if (zeroed && too_large_to_clear(expected)) return Ran::kSkipped;
  outcome_.requested_bytes = expected.size;
  const Answer answer = call_allocator(step);
  Violation& violation = result_.violation;
  if (!check_answer(step.code, expected, answer.address, answer.error, violation)) return fail();
  if (answer.address == 0) {
    if (step.code == OpCode::kPosixMemalign &&
        !check_out_untouched(answer.out_untouched, answer.errno_untouched, promises_, violation)) {
      return fail();
    }
    outcome_.succeeded = false;
    outcome_.error = answer.error;
    return Ran::kDone;
  }
  const bool aligned = step.code == OpCode::kAlignedAlloc || step.code == OpCode::kPosixMemalign;
  Block block;
  block.address = answer.address;
  block.requested = expected.size;
  block.charge = expected.charge;
  block.judged = expected.charge <= kJudgedBytes;
  const uint64_t alignment = aligned ? step.args[0] : natural_alignment(expected.size);
  return adopt(*step.result_slot, block, alignment, zeroed, nullptr, 0) ? Ran::kDone : fail();
}

const FillPlan& Operations::next_plan() const {
  if (strict_) return kStrictPlan;
  return ledger_.serial % 16 == 15 ? kSampledDensePlan : kSampledPlan;
}

bool Operations::adopt(uint64_t slot, Block block, uint64_t alignment, bool zeroed, const Block* old, uint64_t kept) {
  Violation& violation = result_.violation;
  if (old == nullptr) {
    block.plan = &next_plan();
    block.seed = block_seed(ledger_.serial++);
    block.allocated = here_;
  }
  if (!check_alignment(slot, block, alignment, violation)) return false;
  uint64_t usable = block.requested;
  if (api_.usable_size != nullptr) {
    enter_query();
    usable = api_.usable_size(block.bytes());
    leave();
  }
  // Where a block lies is judged before what is said of its size: a block given out twice may well be too small.
  const bool credible = usable >= block.requested && usable <= kAddressLimit;
  block.usable = credible ? usable : block.requested;
  if (!check_inside(subject_, slot, block, violation)) return false;
  if (!insert_without_overlap(heap_, slot, block, violation)) return false;
  if (!credible && !check_usable_covers(slot, block, usable, violation)) return false;
  enter_block();
  if (zeroed && !check_zeroed(heap_, slot, block, violation)) return false;
  if (old != nullptr && !check_kept(slot, *old, block, kept, violation)) return false;
  // What the old block's plan left out is not there to be kept.
  fill_block(block, old != nullptr && old->usable <= old->plan->dense_bytes ? kept : 0);
  leave();
  // Which block a thread gets depends on what the others do at the time.
  if (!ledger_.concurrent) mix(block.usable);
  if (!ledger_.concurrent && promises_.deterministic_addresses) mix(block.address);
  if (options_.observer != nullptr) outcome_.reuse_distance = reuse_.distance(block.address);
  return true;
}

bool Operations::usable_size_kept(uint64_t slot) {
  if (api_.usable_size == nullptr) return true;
  const Block& block = heap_.at(slot);
  enter_query();
  const uint64_t usable = api_.usable_size(block.bytes());
  leave();
  return check_usable_stable(slot, &block, usable, result_.violation);
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

Operations::Ran Operations::resize(const Step& step) {
  const uint64_t size = step.args[1];
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  if (!step.result_slot && !step.slot) return Ran::kSkipped;
  const uint64_t target = step.result_slot ? *step.result_slot : *step.slot;
  if (target != step.slot && heap_.live(target)) return Ran::kSkipped;
  const bool to_nothing = step.slot && size == 0;
  if (to_nothing && promises_.realloc_zero == ReallocZero::kUnknown) return Ran::kSkipped;
  const Expectation expected = expect(OpCode::kRealloc, step.args.data(), promises_);
  if (expected.verdict == Verdict::kUnknown && !to_nothing) return Ran::kSkipped;
  const Block old = step.slot ? heap_.at(*step.slot) : Block{};
  if (!affordable(expected, step.slot && old.charge <= kJudgedBytes ? old.charge : 0)) return Ran::kSkipped;
  const uint64_t kept = step.slot ? std::min(old.requested, size) : 0;
  // An allocator that moves such a block copies it, and would touch more memory than the host has.
  if (kept > options_.live_bytes_cap) return Ran::kSkipped;
  if (step.slot && (!usable_size_kept(*step.slot) || !verify(*step.slot))) return fail();

  outcome_.requested_bytes = size;
  // As in free_block(); where the block stays after all, it is put back.
  if (step.slot) forget(*step.slot, old);
  enter_subject();
  errno = kErrnoMark;
  void* moved = api_.realloc(step.slot ? old.bytes() : nullptr, size);
  const int error = errno;
  leave();
  const auto address = reinterpret_cast<uintptr_t>(moved);
  if (to_nothing && address == 0) {
    if (promises_.realloc_zero == ReallocZero::kMinimal) {
      report_realloc_zero(*step.slot, error, result_.violation);
      return fail();
    }
    const bool kept_it = promises_.realloc_zero != ReallocZero::kFrees;
    return !kept_it || put_back(*step.slot, old) ? Ran::kDone : fail();
  }
  if (!check_answer(OpCode::kRealloc, expected, address, error, result_.violation)) return fail();
  if (address == 0) {
    outcome_.succeeded = false;
    outcome_.error = error;
    return !step.slot || (put_back(*step.slot, old) && verify(*step.slot)) ? Ran::kDone : fail();
  }
  Block block = old;
  block.address = address;
  block.requested = size;
  block.charge = expected.charge;
  block.judged = expected.charge <= kJudgedBytes;
  block.allocated = here_;
  return adopt(target, block, natural_alignment(size), false, step.slot ? &old : nullptr, kept) ? Ran::kDone : fail();
}

void Operations::forget(uint64_t slot, const Block& block) {
  heap_.remove(slot);
  if (options_.observer != nullptr) reuse_.freed(block.address);
  if (strict_) heap_.remember_freed(slot, block, here_);
}

bool Operations::put_back(uint64_t slot, const Block& block) {
  return insert_without_overlap(heap_, slot, block, result_.violation);
}

bool Operations::free_block(uint64_t slot) {
  if (!usable_size_kept(slot) || !verify(slot)) return false;
  const Block block = heap_.at(slot);
  // Before the call: in the middle of it another thread may be given the block already.
  forget(slot, block);
  enter_subject();
  errno = kErrnoMark;
  api_.free(block.bytes());
  const int error = errno;
  leave();
  return check_errno_kept(OpCode::kFree, kErrnoMark, error, result_.violation);
}

Operations::Ran Operations::release(const Step& step) {
  if (step.slot) {
    if (!heap_.live(*step.slot)) return Ran::kSkipped;
    outcome_.requested_bytes = heap_.at(*step.slot).requested;
    return free_block(*step.slot) ? Ran::kDone : fail();
  }
  enter_subject();
  errno = kErrnoMark;
  api_.free(nullptr);
  const int error = errno;
  leave();
  return check_errno_kept(OpCode::kFree, kErrnoMark, error, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::ask_usable_size(const Step& step) {
  if (step.slot) {
    if (!heap_.live(*step.slot)) return Ran::kSkipped;
    return usable_size_kept(*step.slot) ? Ran::kDone : fail();
  }
  enter_subject();
  const uint64_t usable = api_.usable_size(nullptr);
  leave();
  return check_usable_stable(0, nullptr, usable, result_.violation) ? Ran::kDone : fail();
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
  return verify_all() && (!alone || check_structure_now()) ? Ran::kDone : fail();
}

bool Operations::check_after_step() {
  if (ledger_.concurrent) return true;
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

void Operations::begin_end() {
  here_ = {kNoOperation, 0};
  op_code_ = 255;
  progress_->line = kNoOperation;
  progress_->member = 0;
  progress_->op_code = 255;
}

bool Operations::check_and_free_all() {
  // Each block is compared once more right before it is freed.
  if (strict_ && !verify_all()) return fail_check();
  if ((strict_ || result_.trace_hash % kStructureSampling == 0) && !check_structure_now()) return fail_check();
  for (uint64_t slot = 0; slot < heap_.slot_count(); ++slot) {
    if (!heap_.live(slot)) continue;
    progress_->steps = progress_->steps + 1;
    if (!free_block(slot)) return fail_check();
  }
  if (strict_ && !check_structure_now()) return fail_check();
  return true;
}

bool Operations::check_footprint_against(const Footprint& warmed_up) {
  enter_query();
  const Footprint settled = settled_footprint(subject_);
  leave();
  return check_footprint(warmed_up, settled, result_.violation) || fail_check();
}

Operations::Ran Operations::fork_process() {
  enter_subject();
  const bool right = run_forked(*this, options_.fork_limit_ms, result_.violation);
  leave();
  return right ? Ran::kDone : fail();
}

bool Operations::run_in_forked_child() {
  progress_ = &own_progress_;
  strict_ = false;
  if (!verify_all()) return false;
  // Steps of 12.5 %, as fine as any allocator's classes, up to what becomes a mapping of its own everywhere.
  constexpr uint64_t kLargestClass = uint64_t{640} << 10;
  constexpr uint64_t kLargest = uint64_t{4} << 20;
  uint64_t slot = heap_.slot_count();
  for (uint64_t size = 1; size <= kLargest; size += size < 128 ? 8 : size < kLargestClass ? size / 8 : size) {
    enter_subject();
    void* bytes = api_.malloc(size);
    leave();
    if (bytes == nullptr) continue;
    Block block;
    block.address = reinterpret_cast<uintptr_t>(bytes);
    block.requested = size;
    if (!adopt(slot++, block, natural_alignment(size), false, nullptr, 0)) return false;
  }
  for (uint64_t at = 0; at < heap_.slot_count(); ++at) {
    if (heap_.live(at) && !free_block(at)) return false;
  }
  return check_structure_now();
}

}  // namespace assay
