#include "harness/model/made_heaps.h"

#include <algorithm>

namespace assay {
namespace {

constexpr uint64_t kSharedThreads = 4096;

}  // namespace

void MadeHeaps::clear() {
  for (uint64_t thread = 0; thread < defaults_used_; ++thread) defaults_[thread] = kBacking;
  defaults_used_ = 0;
  if (record_count_ > 1) names_.fill(0);
  record_count_ = 1;
  if (arena_count_ != 0) arena_names_.fill(0);
  arena_count_ = 0;
  committed_bytes = reserved_bytes = reserved_count = 0;
  limited = never_purged = defers = false;
  options.fill({});
  lock_.disable();
}

void MadeHeaps::make_room(uint64_t heaps) {
  records_.reserve(heaps + 1);
  defaults_.reserve(kSharedThreads);
}

void MadeHeaps::share() {
  lock_.enable();
}

void MadeHeaps::make(uint64_t name, const MadeHeap& heap) {
  const SpinLock::Guard guard(lock_);
  records_.reserve(record_count_ + 1);
  records_[record_count_] = heap;
  names_[name] = record_count_++;
}

void MadeHeaps::end(uint64_t name) {
  const uint32_t record = names_[name];
  MadeHeap& heap = records_[record];
  heap.state = HeapState::kGone;
  if (default_of(heap.owner) == record) defaults_[heap.owner] = kBacking;
  names_[name] = 0;
}

void MadeHeaps::set_default(uint32_t thread, uint32_t record) {
  const SpinLock::Guard guard(lock_);
  defaults_.reserve(thread + size_t{1});
  defaults_[thread] = record;
  defaults_used_ = std::max<uint64_t>(defaults_used_, thread + uint64_t{1});
}

void MadeHeaps::leave_thread(uint32_t thread, HeapState state) {
  const uint32_t chosen = default_of(thread);
  if (chosen != kBacking) {
    // What the thread allocates on its way out may come from there.
    if (chosen != kUnknown) records_[chosen].tainted = true;
    set_default(thread, state == HeapState::kUncertain ? kUnknown : kBacking);
  }
  for (uint64_t name = 0; name < kMaxHeaps; ++name) {
    const uint32_t record = names_[name];
    if (record == kBacking || records_[record].owner != thread) continue;
    if (records_[record].state == HeapState::kOrphan) continue;
    if (records_[record].is_backing || state == HeapState::kGone) {
      end(name);
    } else {
      records_[record].state = state;
    }
  }
}

bool MadeHeaps::make_arena(uint64_t name, const MadeArena& arena) {
  const SpinLock::Guard guard(lock_);
  if (arena_count_ == kMostArenas) return false;
  arenas_[arena_count_++] = arena;
  if (name < kMaxArenas) arena_names_[name] = arena_count_;
  return true;
}

void MadeHeaps::note_reserved(uint64_t bytes, uint64_t committed) {
  const SpinLock::Guard guard(lock_);
  reserved_bytes += bytes;
  ++reserved_count;
  committed_bytes += committed;
}

const MadeArena* MadeHeaps::exclusive_at(uintptr_t begin, uint64_t size) const {
  const SpinLock::Guard guard(lock_);
  for (uint32_t i = 0; i < arena_count_; ++i) {
    const MadeArena& arena = arenas_[i];
    if (arena.exclusive && begin < arena.start + arena.bytes && arena.start < begin + size) return &arena;
  }
  return nullptr;
}

}  // namespace assay
