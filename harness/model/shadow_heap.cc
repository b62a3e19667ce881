#include "harness/model/shadow_heap.h"

#include <algorithm>

namespace assay {

void ShadowHeap::clear() {
  if (live_blocks_ != 0) {
    for (uint64_t slot = 0; slot < slot_count_; ++slot) {
      if (!live(slot)) continue;
      extents_.remove(slots_[slot].address, slots_[slot].extent());
      slots_[slot].address = 0;
    }
  }
  extents_.trim();
  made_.clear();
  slot_count_ = live_blocks_ = live_extent_ = freed_count_ = 0;
  judged_charge_.store(0, std::memory_order_relaxed);
  unjudged_charge_.store(0, std::memory_order_relaxed);
  packed_ = false;
  lock_.disable();
}

void ShadowHeap::give_back() {
  clear();
  extents_.trim(0);
}

void ShadowHeap::make_room(uint64_t slots, uint64_t heaps) {
  made_.make_room(heaps);
  slots_.reserve(slots);
}

void ShadowHeap::share(uint64_t slots, uint64_t heaps) {
  make_room(slots, heaps);
  made_.share();
  freed_.reserve(kFreedKept);
  slot_count_ = slots;
  lock_.enable();
}

void ShadowHeap::count(const Block& block, bool comes) {
  const uint64_t sign = comes ? 1 : ~uint64_t{0};
  live_blocks_ += sign;
  live_extent_ += sign * block.extent();
  std::atomic<uint64_t>& charge = block.judged ? judged_charge_ : unjudged_charge_;
  charge.store(charge.load(std::memory_order_relaxed) + sign * block.charge, std::memory_order_relaxed);
}

uint64_t ShadowHeap::insert(uint64_t slot, const Block& block) {
  const SpinLock::Guard guard(lock_);
  if (!extents_.insert(block.address, block.extent())) {
    const uint64_t victim = search_overlap(block.address, block.extent());
    if (victim != kNoSlot) return victim;
    packed_ = true;
    extents_.force(block.address, block.extent());
  }
  slots_.reserve(slot + 1);
  slots_[slot] = block;
  if (slot >= slot_count_) slot_count_ = slot + 1;
  count(block, true);
  return kNoSlot;
}

void ShadowHeap::remove(uint64_t slot) {
  const SpinLock::Guard guard(lock_);
  Block& block = slots_[slot];
  const uintptr_t begin = block.address;
  const uint64_t size = block.extent();
  count(block, false);
  block.address = 0;
  extents_.remove(begin, size);
  if (!packed_) return;
  constexpr uintptr_t kGranule = ExtentMap::kGranuleBytes;
  const uintptr_t first = begin & ~(kGranule - 1);
  const uintptr_t end = (begin + size + kGranule - 1) & ~(kGranule - 1);
  for (uint64_t other = 0; other < slot_count_; ++other) {
    if (!live(other)) continue;
    const Block& neighbour = slots_[other];
    if (neighbour.address < end && first < neighbour.address + neighbour.extent()) {
      extents_.force(neighbour.address, neighbour.extent());
    }
  }
}

uint64_t ShadowHeap::find_overlap(uintptr_t begin, uint64_t size) const {
  const SpinLock::Guard guard(lock_);
  return search_overlap(begin, size);
}

uint64_t ShadowHeap::find_bytes(uintptr_t begin, uint64_t size) const {
  const SpinLock::Guard guard(lock_);
  for (uint64_t slot = 0; slot < slot_count_; ++slot) {
    if (!live(slot)) continue;
    const Block& block = slots_[slot];
    if (block.address < begin + size && begin < block.address + block.usable) return slot;
  }
  return kNoSlot;
}

bool ShadowHeap::may_overlap(uintptr_t begin, uint64_t size) const {
  const SpinLock::Guard guard(lock_);
  return extents_.any(begin, size);
}

uint64_t ShadowHeap::search_overlap(uintptr_t begin, uint64_t size) const {
  for (uint64_t slot = 0; slot < slot_count_; ++slot) {
    if (!live(slot)) continue;
    const Block& block = slots_[slot];
    if (block.address < begin + size && begin < block.address + block.extent()) return slot;
  }
  return kNoSlot;
}

void ShadowHeap::remember_freed(uint64_t slot, const Block& block, Place where) {
  const SpinLock::Guard guard(lock_);
  freed_.reserve(kFreedKept);
  freed_[freed_count_++ % kFreedKept] = {slot, block.address, block.requested, block.usable, block.allocated, where};
}

const FreedBlock* ShadowHeap::find_freed(uintptr_t address) const {
  const SpinLock::Guard guard(lock_);
  const uint64_t kept = std::min<uint64_t>(freed_count_, kFreedKept);
  for (uint64_t age = 1; age <= kept; ++age) {
    const FreedBlock& block = freed_[(freed_count_ - age) % kFreedKept];
    if (address >= block.address && address - block.address < std::max<uint64_t>(block.usable, 1)) return &block;
  }
  return nullptr;
}

}  // namespace assay
