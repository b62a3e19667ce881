#include "harness/op/live_slots.h"

#include <bit>

namespace assay {
namespace {

// The executor skips what would bring the live bytes above 1 GiB.
constexpr uint64_t kLikelyBytes = uint64_t{1} << 30;

}  // namespace

bool likely_succeeds(const OpInfo& row, const Operation& operation, uint64_t member) {
  uint64_t bytes = 1;
  for (size_t i = 0; i < row.args.size() && row.args[i] != ArgKind::kNothing; i++) {
    const ArgKind kind = row.args[i];
    if (kind == ArgKind::kSlot || is_name(kind)) continue;
    const uint64_t value = operation.args[i].at(member);
    if (kind == ArgKind::kLength) return value <= kMaxStringLength;
    if (kind == ArgKind::kFlag && value != 0) return false;  // realpath of what does not exist
    if (kind == ArgKind::kSmallSize && value > kSmallLimit) return false;
    if (kind == ArgKind::kSize || kind == ArgKind::kCount) {
      if (__builtin_mul_overflow(bytes, value, &bytes)) return false;
    } else if (kind == ArgKind::kAlignment) {
      if (!std::has_single_bit(value) || value > kLikelyBytes) return false;
      if (row.code == OpCode::kPosixMemalign && value < sizeof(void*)) return false;
    }
  }
  return bytes <= kLikelyBytes;
}

std::optional<uint32_t> LiveSlots::newest() const {
  if (count_ == 0 || !is_live(newest_)) return std::nullopt;
  return newest_;
}

std::optional<uint32_t> LiveSlots::next(uint32_t from, uint64_t flip) const {
  const uint32_t first_word = from / 64;
  const uint64_t at_or_after = (words_[first_word] ^ flip) & (~uint64_t{0} << (from % 64));
  if (at_or_after != 0) return first_word * 64 + static_cast<uint32_t>(std::countr_zero(at_or_after));
  // Round to the first word again, whose lower bits have not been looked at.
  for (uint32_t i = 1; i <= kWords; i++) {
    const uint32_t word = (first_word + i) % kWords;
    const uint64_t bits = words_[word] ^ flip;
    if (bits != 0) return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return std::nullopt;
}

uint32_t LiveSlots::run(uint32_t first, uint32_t limit, bool live) const {
  uint32_t length = 0;
  while (length < limit && first + length < kMaxSlots && is_live(first + length) == live) length++;
  return length;
}

bool LiveSlots::all(const SlotRange& range, bool live) const {
  for (uint32_t slot = range.first; slot <= range.last; slot += range.step) {
    if (is_live(slot) != live) return false;
  }
  return true;
}

void LiveSlots::fill(uint32_t slot) {
  if (!is_live(slot)) count_++;
  words_[slot / 64] |= uint64_t{1} << (slot % 64);
  heap_of_[slot] = heap_;
  newest_ = slot;
}

void LiveSlots::empty(uint32_t slot) {
  if (is_live(slot)) count_--;
  words_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
}

void LiveSlots::apply_member(const OpInfo& row, const Operation& operation, uint64_t member,
                             std::optional<uint32_t> result, std::optional<uint32_t> slot) {
  if (slot && !is_live(*slot)) return;
  if (result && *result != slot && is_live(*result)) return;
  if (row.result == ResultKind::kEmpties) {
    if (slot) empty(*slot);
  } else if (result && likely_succeeds(row, operation, member)) {
    if (slot && row.result == ResultKind::kMoves) empty(*slot);
    fill(*result);
  }
}

void LiveSlots::end_heap(const Operation& operation, uint64_t heap) {
  if (!names_.may_end(operation.thread, heap)) return;
  names_.end_heap(heap);
  for (uint32_t slot = 0; slot < kMaxSlots; slot++) {
    if (heap_of_[slot] != heap + 1) continue;
    heap_of_[slot] = 0;
    if (operation.code == OpCode::kHeapDestroy) empty(slot);
  }
}

void LiveSlots::apply_to_names(const OpInfo& row, const Operation& operation) {
  const uint64_t name = operation.args[0].low;
  switch (row.args[0]) {
    case ArgKind::kNewHeap:
      if (!names_.is_live(ArgKind::kHeap, name)) names_.make_heap(name, operation.thread);
      return;
    case ArgKind::kNewArena:
      if (!names_.is_live(ArgKind::kArena, name)) names_.make_arena(name);
      return;
    default: break;
  }
  switch (operation.code) {
    case OpCode::kThreadExit: return names_.end_thread(operation.thread);
    case OpCode::kHeapDelete:
    case OpCode::kHeapDestroy: return end_heap(operation, name);
    case OpCode::kHeapSetDefault:
      if (names_.may_use(operation.thread, name)) names_.set_default(operation.thread, name);
      return;
    default: return;
  }
}

void LiveSlots::apply(const Operation& operation) {
  const OpInfo& row = info(operation.code);
  if (row.result == ResultKind::kNone) return apply_to_names(row, operation);
  uint64_t heap = names_.default_of(operation.thread);
  if (row.args[0] == ArgKind::kHeap) {
    heap = operation.args[0].low;
    if (!names_.may_use(operation.thread, heap)) return;
  }
  heap_ = static_cast<uint8_t>(heap + 1);
  const bool single_result = !operation.result || operation.result->single();
  const bool single_slot = !operation.slot || operation.slot->single();
  if (single_result && single_slot) {
    std::optional<uint32_t> result, slot;
    if (operation.result) result = operation.result->first;
    if (operation.slot) slot = operation.slot->first;
    apply_member(row, operation, 0, result, slot);
    return;
  }
  const uint64_t members = operation.members();
  SlotCursor results, slots;
  if (operation.result) results = SlotCursor(*operation.result);
  if (operation.slot) slots = SlotCursor(*operation.slot);
  for (uint64_t member = 0; member < members; member++) {
    std::optional<uint32_t> result, slot;
    if (operation.result) result = results.next();
    if (operation.slot) slot = slots.next();
    apply_member(row, operation, member, result, slot);
  }
}

}  // namespace assay
