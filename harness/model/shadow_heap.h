// What a program believes to be allocated: its slots, the blocks in them, and which addresses they cover. Knows nothing
// of any allocator; the oracles compare it with what the subject does. All memory is mapped (see mapped_array.h), grows
// with the highest slot in use and is cleared in time proportional to what was used.
//
// Usually one thread at a time uses it. Between share() and clear() several may, each slot being one thread's at a
// time: then insert() and what follows it are exact as before, and nothing here orders one thread's calls into the
// subject before another's in the eyes of a race detector (shadow_heap.cc is compiled without).
#pragma once

#include <cstdint>

#include "harness/model/extent_map.h"
#include "harness/model/made_heaps.h"
#include "harness/model/mapped_array.h"
#include "harness/model/pattern.h"
#include "harness/model/spin_lock.h"

namespace assay {

// Where in the program something happened.
struct Place {
  uint64_t line = ~uint64_t{0};
  uint64_t member = 0;
};

struct Block {
  uintptr_t address = 0;  // 0: the slot is empty
  uint64_t requested = 0;
  uint64_t usable = 0;
  uint64_t filled = 0;  // bytes that are filled and checked by the plan
  uint64_t charge = 0;  // what it counts for against the cap on live bytes
  bool judged = true;   // false for one so large that neither its success nor its failure is judged
  uint64_t seed = 0;
  uint64_t alignment = 1;  // of its first byte, as it was asked for
  Place allocated;
  uint64_t placed = 0;  // the number of blocks that had come to an address of their own by then, itself included
  const FillPlan* plan = nullptr;
  uint32_t heap = MadeHeaps::kBacking;  // the record of the heap that it came from
  bool zeroed = false;                  // promised to be zero where the caller has not written
  bool odd = false;                     // asked for so that its first byte need not be aligned for any object

  // malloc(0) has an address of its own, so every block covers a byte at least.
  uint64_t extent() const { return usable == 0 ? 1 : usable; }
  char* bytes() const { return reinterpret_cast<char*>(address); }
};

// A block that is gone, kept for reports.
struct FreedBlock {
  uint64_t slot = 0;
  uintptr_t address = 0;
  uint64_t requested = 0, usable = 0;
  Place allocated, freed;
};

class ShadowHeap {
 public:
  static constexpr uint64_t kNoSlot = ~uint64_t{0};

  ShadowHeap() = default;

  // Everything forgotten, as new.
  void clear();
  // And gives what it keeps for the next program back to the kernel.
  void give_back();
  // From here on what is kept of slots below `slots`, and of that many heaps, stays where it is: who looks at one goes
  // on looking while others come, as threads do that are stopped in a call.
  void make_room(uint64_t slots, uint64_t heaps);
  // The same, and several threads at a time, which make at most `heaps` heaps.
  void share(uint64_t slots, uint64_t heaps = 0);

  MadeHeaps& made() { return made_; }
  const MadeHeaps& made() const { return made_; }
  // The record of the heap that the block of a slot belongs to now.
  uint32_t heap_of(const Block& block) const { return made_.living(block.heap); }

  bool live(uint64_t slot) const { return slot < slots_.capacity() && slots_[slot].address != 0; }
  Block& at(uint64_t slot) { return slots_[slot]; }
  const Block& at(uint64_t slot) const { return slots_[slot]; }
  // One more than the highest slot that was ever filled, or that share() named.
  uint64_t slot_count() const { return slot_count_; }
  uint64_t live_blocks() const { return live_blocks_; }
  uint64_t judged_charge() const { return judged_charge_.load(std::memory_order_relaxed); }
  uint64_t unjudged_charge() const { return unjudged_charge_.load(std::memory_order_relaxed); }
  uint64_t live_extent() const { return live_extent_; }

  // Puts a block into an empty slot. Returns kNoSlot, or the slot of a live block that it overlaps; then nothing
  // changes.
  uint64_t insert(uint64_t slot, const Block& block);
  void remove(uint64_t slot);

  // The slot of a live block that shares a byte with [begin, begin + size), kNoSlot when there is none. Walks all
  // slots.
  uint64_t find_overlap(uintptr_t begin, uint64_t size) const;
  // Of those that have bytes: a block of size 0 whose usable size is 0 has none that it could lose.
  uint64_t find_bytes(uintptr_t begin, uint64_t size) const;
  // Cheap and exact but for blocks that share a granule of 8 bytes without sharing a byte.
  bool may_overlap(uintptr_t begin, uint64_t size) const;
  // Keeps a few thousand freed blocks, so that a report can tell whose bytes were seen again.
  void remember_freed(uint64_t slot, const Block& block, Place where);
  const FreedBlock* find_freed(uintptr_t address) const;

 private:
  static constexpr size_t kFreedKept = 4096;

  void count(const Block& block, bool comes);
  uint64_t search_overlap(uintptr_t begin, uint64_t size) const;

  mutable SpinLock lock_;
  MadeHeaps made_;
  ExtentMap extents_;
  MappedArray<Block> slots_;
  MappedArray<FreedBlock> freed_;
  uint64_t slot_count_ = 0, live_blocks_ = 0, live_extent_ = 0;
  std::atomic<uint64_t> judged_charge_{0}, unjudged_charge_{0};  // a stale sum is good enough for the cap
  uint64_t freed_count_ = 0;
  bool packed_ = false;  // blocks were seen that share a granule legally; then removal looks for the other one
};

}  // namespace assay
