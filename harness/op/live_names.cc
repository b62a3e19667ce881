#include "harness/op/live_names.h"

#include <bit>

namespace assay {
namespace {

uint32_t count_of(ArgKind kind) {
  return names_heap(kind) ? kMaxHeaps : kMaxArenas;
}

// The first set bit at or after `from` of the first `limit`, going round.
std::optional<uint32_t> next_set(uint64_t bits, uint32_t from, uint32_t limit) {
  if (limit < 64) bits &= (uint64_t{1} << limit) - 1;
  if (bits == 0) return std::nullopt;
  const uint64_t at_or_after = bits & (~uint64_t{0} << (from % 64));
  return static_cast<uint32_t>(std::countr_zero(at_or_after != 0 ? at_or_after : bits));
}

}  // namespace

bool LiveNames::is_live(ArgKind kind, uint64_t number) const {
  return number < count_of(kind) && (mask(kind) >> number & 1) != 0;
}

std::optional<uint32_t> LiveNames::next_live(ArgKind kind, uint32_t from) const {
  return next_set(mask(kind), from, count_of(kind));
}

std::optional<uint32_t> LiveNames::next_empty(ArgKind kind, uint32_t from, uint32_t limit) const {
  return next_set(~mask(kind), from, limit);
}

std::optional<uint32_t> LiveNames::newest(ArgKind kind) const {
  const uint32_t newest = names_heap(kind) ? newest_heap_ : newest_arena_;
  if (!is_live(kind, newest)) return std::nullopt;
  return newest;
}

std::optional<uint32_t> LiveNames::owner(uint64_t heap) const {
  if (owners_[heap] == kEnded) return std::nullopt;
  return owners_[heap];
}

std::optional<uint32_t> LiveNames::next_owned(uint32_t from) const {
  uint64_t owned = heaps_;
  for (uint64_t left = heaps_; left != 0; left &= left - 1) {
    const auto heap = static_cast<uint32_t>(std::countr_zero(left));
    if (owners_[heap] == kEnded) owned &= ~(uint64_t{1} << heap);
  }
  return next_set(owned, from, kMaxHeaps);
}

void LiveNames::make_heap(uint64_t heap, uint32_t thread) {
  heaps_ |= uint64_t{1} << heap;
  owners_[heap] = thread;
  newest_heap_ = static_cast<uint32_t>(heap);
}

void LiveNames::end_heap(uint64_t heap) {
  heaps_ &= ~(uint64_t{1} << heap);
  for (uint64_t& chosen : defaults_) {
    if (chosen == heap) chosen = kNoName;
  }
}

void LiveNames::make_arena(uint64_t arena) {
  arenas_ |= uint64_t{1} << arena;
  newest_arena_ = static_cast<uint32_t>(arena);
}

void LiveNames::end_thread(uint32_t thread) {
  for (uint64_t left = heaps_; left != 0; left &= left - 1) {
    const auto heap = static_cast<uint32_t>(std::countr_zero(left));
    if (owners_[heap] == thread) owners_[heap] = kEnded;
  }
  defaults_[thread % kThreads] = kNoName;
}

}  // namespace assay
