// Calls that give a block: what is asked for is weighed, the call is made, and its answer becomes a block of the model.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>

#include "harness/exec/operations.h"
#include "harness/model/uninitialised.h"
#include "harness/oracle/alignment.h"
#include "harness/oracle/arena.h"
#include "harness/oracle/contents.h"
#include "harness/oracle/expand.h"
#include "harness/oracle/outside.h"
#include "harness/oracle/overlap.h"
#include "harness/oracle/usable_size.h"
#include "harness/oracle/zeroing.h"

namespace assay {
namespace {

constexpr uint64_t kLargestObject = ~uint64_t{0} >> 1;  // PTRDIFF_MAX
// Blocks that kJudgedBytes does not cover may hold this much address space together.
constexpr uint64_t kMaxBeyondJudgement = uint64_t{256} << 30;
// Of blocks that are promised to be zero one in so many keeps its slack as it came: what rezalloc grows into has to be
// zero only where the caller has not written.
constexpr uint64_t kCleanSlackOneIn = 4;
// In sampled runs so many blocks are compared with good_size.
constexpr uint64_t kGoodSizeOneIn = 16;

// Arguments that break the caller's part of the bargain.
bool breaks_limits(const Step& step) {
  const OpInfo& row = info(step.code);
  for (size_t i = 0; i < row.args.size(); ++i) {
    if (row.args[i] == ArgKind::kSmallSize && step.args[i] > kSmallLimit) return true;
    if (row.args[i] == ArgKind::kLength && step.args[i] > kMaxStringLength) return true;
  }
  return false;
}

const char* text_of(const Step& step) {
  switch (step.code) {
    case OpCode::kStrdup:
    case OpCode::kStrndup: return source_string(step.args[0]);
    case OpCode::kHeapStrdup:
    case OpCode::kHeapStrndup: return source_string(step.args[1]);
    case OpCode::kHeapRealpath:
    case OpCode::kRealpath: return kResolvedPath;
    default: return nullptr;
  }
}

uint64_t alignment_of(const Request& request) {
  // One that is no alignment at all promises nothing.
  const bool promised = request.aligned && std::has_single_bit(request.alignment);
  return promised ? request.alignment : natural_alignment(request.size);
}

// What free_aligned may be told: the alignment of the first byte.
uint64_t alignment_of_first_byte(const Request& request) {
  const bool promised = request.aligned && std::has_single_bit(request.alignment);
  return promised && request.offset % request.alignment == 0 ? request.alignment : 1;
}

bool is_odd(const Request& request) {
  constexpr uint64_t kAnyObject = alignof(std::max_align_t);
  return request.aligned && (request.alignment < kAnyObject || request.offset % kAnyObject != 0);
}

}  // namespace

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
  return expected.request.zeroed && expected.charge > kJudgedBytes && expected.charge < kAddressLimit &&
         !promises_.limits_at_seam;
}

Expectation Operations::weigh(const Step& step, const Source& source) const {
  Expectation expected = in_view_of_source(expect(step.code, step.args.data(), promises_), source);
  if (expected.verdict != Verdict::kUnknown || options_.comparison == nullptr) return expected;
  const Request& request = expected.request;
  const bool impossible = request.overflows || request.size > kLargestObject;
  // What might succeed lazily is left alone as ever.
  if (!impossible && request.size > kJudgedBytes) return expected;
  expected.verdict = impossible ? Verdict::kMustFail : Verdict::kEither;
  expected.any_error = true;
  expected.size = impossible ? 0 : request.size;
  expected.charge = expected.size;
  return expected;
}

Operations::Ran Operations::allocate(const Step& step) {
  if (!step.result_slot || heap_.live(*step.result_slot) || breaks_limits(step)) return Ran::kSkipped;
  const Source source = source_of(step);
  const Expectation expected = weigh(step, source);
  if (!source.runs || expected.verdict == Verdict::kUnknown || !affordable(expected, 0)) return Ran::kSkipped;
  if (too_large_to_clear(expected)) return Ran::kSkipped;
  outcome_.requested_bytes = expected.size;
  enter_subject();
  const Answer answer = call_allocating(api_, step, nullptr, source.handle);
  leave();
  Violation& violation = result_.violation;
  if (!check_answer(step.code, in_view_of_failures(expected), answer.address, answer.error, violation) &&
      !may_go_on(answer.address)) {
    return fail();
  }
  if (answer.address == 0) {
    note_null(expected);
    if (!is_due(step, source, expected) && !may_go_on(answer.address)) return fail();
    if (!check_out_untouched(step.code, answer.out_untouched, answer.errno_untouched, promises_, violation) &&
        !may_go_on(answer.address)) {
      return fail();
    }
    outcome_.succeeded = false;
    outcome_.error = answer.error;
    return Ran::kDone;
  }
  const Request& request = expected.request;
  Block block;
  block.heap = source.heap;
  block.address = answer.address;
  block.requested = expected.size;
  block.charge = expected.charge;
  block.judged = expected.charge <= kJudgedBytes;
  block.alignment = alignment_of_first_byte(request);
  block.zeroed = request.zeroed;
  block.odd = is_odd(request);
  const Grant grant{.alignment = alignment_of(request),
                    .offset = request.offset,
                    .zero_from = request.zeroed ? 0 : ~uint64_t{0},
                    .text = text_of(step),
                    .usable_told = answer.usable_after};
  return adopt(*step.result_slot, block, grant) && check_source(step, source, *step.result_slot, true) ? Ran::kDone
                                                                                                       : fail();
}

Operations::Ran Operations::resize(const Step& step) {
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  if (!step.result_slot && !step.slot) return Ran::kSkipped;
  const uint64_t target = step.result_slot ? *step.result_slot : *step.slot;
  if (target != step.slot && heap_.live(target)) return Ran::kSkipped;
  const Source source = source_of(step);
  if (!source.runs) return Ran::kSkipped;
  const Expectation expected = weigh(step, source);
  const Request& request = expected.request;
  const bool to_nothing = step.slot && request.size == 0 && expected.verdict != Verdict::kMustFail;
  if (to_nothing && promises_.realloc_zero == ReallocZero::kUnknown) return Ran::kSkipped;
  // An alignment that may be refused: where NULL can also mean that the block is gone, nobody could tell the two apart.
  const bool may_refuse = expected.verdict == Verdict::kEither;
  if (to_nothing && may_refuse && promises_.realloc_zero != ReallocZero::kMinimal) return Ran::kSkipped;
  if (expected.verdict == Verdict::kUnknown && !to_nothing) return Ran::kSkipped;
  const Block old = step.slot ? heap_.at(*step.slot) : Block{};
  if (!affordable(expected, step.slot && old.charge <= kJudgedBytes ? old.charge : 0)) return Ran::kSkipped;
  if (too_large_to_clear(expected)) return Ran::kSkipped;
  const uint64_t kept = step.slot ? std::min(old.requested, expected.size) : 0;
  // An allocator that moves such a block copies it, and would touch more memory than the host has.
  if (kept > options_.live_bytes_cap) return Ran::kSkipped;
  if (step.slot && (!usable_size_kept(*step.slot) || !verify(*step.slot))) return fail();

  outcome_.requested_bytes = expected.size;
  // As in free_block(); where the block stays after all, it is put back.
  if (step.slot) forget(*step.slot, old);
  enter_subject();
  const Answer answer = call_allocating(api_, step, step.slot ? old.bytes() : nullptr, source.handle);
  leave();
  if (answer.usable_before && !check_usable_told(step.code, step.slot.value_or(0), step.slot ? &old : nullptr,
                                                 *answer.usable_before, result_.violation)) {
    return fail();
  }
  const Expectation possible = in_view_of_failures(expected);
  if (to_nothing && !may_refuse && answer.address == 0 && possible.verdict == expected.verdict) {
    if (promises_.realloc_zero == ReallocZero::kMinimal) {
      report_realloc_zero(step.code, *step.slot, answer.error, result_.violation);
      return fail();
    }
    outcome_.succeeded = false;
    const bool kept_it = promises_.realloc_zero != ReallocZero::kFrees;
    return !kept_it || put_back(*step.slot, old) ? Ran::kDone : fail();
  }
  if (!check_answer(step.code, possible, answer.address, answer.error, result_.violation) &&
      !may_go_on(answer.address)) {
    return fail();
  }
  if (answer.address == 0) {
    note_null(expected);
    if (!is_due(step, source, expected) && !may_go_on(answer.address)) return fail();
    return resize_failed(step, answer, old);
  }
  Block block = old;
  // What no heap is named for stays whose it was, unless it moves.
  const bool taken_over = info(step.code).args[0] == ArgKind::kHeap && promises_.heap_resize_takes_over;
  const bool keeps_heap = step.slot && answer.address == old.address && !taken_over;
  if (!keeps_heap) block.heap = source.heap;
  block.address = answer.address;
  block.requested = expected.size;
  block.charge = expected.charge;
  block.judged = expected.charge <= kJudgedBytes;
  block.allocated = here_;
  block.alignment = alignment_of_first_byte(request);
  block.zeroed = request.zeroed && (!step.slot || old.zeroed);
  outcome_.stayed = step.slot && block.address == old.address;
  const bool is_new = !outcome_.stayed || heap_.heap_of(old) != source.heap;
  // An odd block that may stay where it is stays odd.
  const bool stays_odd = old.odd && !request.aligned && block.address == old.address;
  block.odd = is_odd(request) || stays_odd;
  Grant grant{.alignment = stays_odd ? 1 : alignment_of(request),
              .offset = request.offset,
              .old = step.slot ? &old : nullptr,
              .kept = kept,
              .usable_told = answer.usable_after};
  // Zero is what the caller has not written: the slack may have been, where the block was not promised to be zero.
  if (request.zeroed) grant.zero_from = !step.slot ? 0 : old.zeroed ? old.filled : old.usable;
  return adopt(target, block, grant) && (keeps_heap || check_source(step, source, target, is_new)) ? Ran::kDone
                                                                                                   : fail();
}

Operations::Ran Operations::resize_failed(const Step& step, const Answer& answer, const Block& old) {
  outcome_.succeeded = false;
  outcome_.error = answer.error;
  if (!check_out_untouched(step.code, answer.out_untouched, answer.errno_untouched, promises_, result_.violation)) {
    return fail();
  }
  // Who looks at the heap first refuses the call as a whole.
  const bool tried = !promises_.heap_calls_are_checked || answer.error == ENOMEM;
  const bool frees = step.code == OpCode::kReallocf || (step.code == OpCode::kHeapReallocf && tried);
  const bool is_gone = !step.slot || frees;
  return is_gone || (put_back(*step.slot, old) && verify(*step.slot)) ? Ran::kDone : fail();
}

const FillPlan& Operations::next_plan() const {
  if (strict_) return kStrictPlan;
  return ledger_.serial % 16 == 15 ? kSampledDensePlan : kSampledPlan;
}

bool Operations::adopt(uint64_t slot, Block block, const Grant& grant) {
  Violation& violation = result_.violation;
  if (grant.old == nullptr) {
    block.plan = &next_plan();
    block.seed = block_seed(ledger_.serial++);
    block.allocated = here_;
  }
  // One that stays where it is may stay in memory of another thread.
  const bool stays = grant.old != nullptr && grant.old->address == block.address;
  if (!ledger_.concurrent && !stays) block.placed = ++ledger_.placed;
  if (!check_alignment(slot, block, grant.alignment, grant.offset, violation)) return false;
  uint64_t usable = block.requested;
  if (api_.usable_size != nullptr) {
    enter_query();
    usable = api_.usable_size(block.bytes());
    leave();
  }
  // Where a block lies is judged before what is said of its size: a block given out twice may well be too small.
  const bool credible = usable >= block.requested && usable <= kAddressLimit;
  block.usable = credible ? usable : block.requested;
  const bool keeps_slack = block.zeroed && api_.rezalloc != nullptr && block.seed % kCleanSlackOneIn == 0;
  block.filled = keeps_slack ? block.requested : block.usable;
  if (!check_inside(subject_, slot, block, violation)) return false;
  mark_initialised(block.bytes(), block.usable);
  if (!insert_without_overlap(heap_, slot, block, violation)) return false;
  if (!credible && !check_usable_covers(slot, block, usable, violation)) return false;
  if (stays && !check_gives_back(slot, *grant.old, block, promises_, violation)) return false;
  if (!check_what_was_told(slot, grant) || !check_bytes_granted(slot, grant)) return false;
  // Which block a thread gets depends on what the others do at the time.
  if (!ledger_.concurrent) mix(block.usable);
  if (!ledger_.concurrent && promises_.deterministic_addresses) mix(block.address);
  if (options_.observer != nullptr) outcome_.reuse_distance = reuse_.distance(block.address);
  return true;
}

bool Operations::check_what_was_told(uint64_t slot, const Grant& grant) {
  const Block& block = heap_.at(slot);
  if (grant.usable_told &&
      !check_usable_told(static_cast<OpCode>(op_code_), slot, &block, *grant.usable_told, result_.violation)) {
    return false;
  }
  const bool asks = op_code_ == static_cast<uint8_t>(OpCode::kMalloc) && promises_.good_size_exact &&
                    (strict_ || ledger_.serial % kGoodSizeOneIn == 0);
  if (!asks) return true;
  enter_query();
  const uint64_t good = api_.good_size(block.requested);
  leave();
  return check_good_size_kept(slot, block, good, result_.violation);
}

bool Operations::check_bytes_granted(uint64_t slot, const Grant& grant) {
  const Block& block = heap_.at(slot);
  Violation& violation = result_.violation;
  enter_block();
  if (grant.text != nullptr && !check_text(slot, block, grant.text, violation)) return false;
  if (grant.zero_from < block.requested && !check_zeroed(heap_, slot, block, grant.zero_from, violation)) return false;
  const Block* const old = grant.old;
  if (old != nullptr && !check_kept(slot, *old, block, grant.kept, violation)) return false;
  // What the old block's plan left out is not there to be kept.
  fill_block(block, old != nullptr && old->filled <= old->plan->dense_bytes ? grant.kept : 0);
  leave();
  return true;
}

// The block stays where it is; what the caller gets more lies in what was usable before.
Operations::Ran Operations::expand(const Step& step) {
  if (step.slot && !heap_.live(*step.slot)) return Ran::kSkipped;
  const uint64_t size = step.args[1];
  if (step.slot && (!usable_size_kept(*step.slot) || !verify(*step.slot))) return fail();
  outcome_.requested_bytes = size;
  enter_subject();
  void* const expanded = api_.expand(step.slot ? heap_.at(*step.slot).bytes() : nullptr, size);
  leave();
  const Block* const block = step.slot ? &heap_.at(*step.slot) : nullptr;
  if (!check_expanded(step.slot.value_or(0), block, size, reinterpret_cast<uintptr_t>(expanded), promises_,
                      result_.violation)) {
    return fail();
  }
  if (expanded == nullptr) {
    outcome_.succeeded = false;
    return Ran::kDone;
  }
  Block& grown = heap_.at(*step.slot);
  grown.requested = size;
  if (grown.filled < size) {
    const uint64_t from = grown.filled;
    grown.filled = size;
    enter_block();
    fill_block(grown, from);
    leave();
  }
  return Ran::kDone;
}

}  // namespace assay
