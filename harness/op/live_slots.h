// Which slots of a program hold a block, as far as its text tells: a guess, since an allocation may fail. The decoder,
// the encoder, the mutator and the generator use it to aim operations at live blocks; no verdict depends on it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "harness/op/live_names.h"
#include "harness/op/program.h"

namespace assay {

class LiveSlots {
 public:
  bool is_live(uint32_t slot) const { return (words_[slot / 64] >> (slot % 64)) & 1; }
  bool none() const { return count_ == 0; }
  uint32_t count() const { return count_; }
  // The slot that was filled last, when it is still live.
  std::optional<uint32_t> newest() const;
  // The first live (empty) slot at or after `from`, going round after the last one; nothing when there is none.
  std::optional<uint32_t> next_live(uint32_t from) const { return next(from, 0); }
  std::optional<uint32_t> next_empty(uint32_t from) const { return next(from, ~uint64_t{0}); }
  // How many slots from `first` on, at most `limit`, are live (or empty), without a gap.
  uint32_t run(uint32_t first, uint32_t limit, bool live) const;
  bool all(const SlotRange& range, bool live) const;

  // The heaps and arenas that there are.
  const LiveNames& names() const { return names_; }

  // What `operation` will have done. Its slots must be below kMaxSlots.
  void apply(const Operation& operation);

 private:
  static constexpr uint32_t kWords = kMaxSlots / 64;

  std::optional<uint32_t> next(uint32_t from, uint64_t flip) const;
  void fill(uint32_t slot);
  void empty(uint32_t slot);
  void apply_to_names(const OpInfo& row, const Operation& operation);
  void end_heap(const Operation& operation, uint64_t heap);
  void apply_member(const OpInfo& row, const Operation& operation, uint64_t member, std::optional<uint32_t> result,
                    std::optional<uint32_t> slot);

  std::array<uint64_t, kWords> words_{};
  // One more than the heap that the block of a slot came from; 0: a heap without a name.
  std::array<uint8_t, kMaxSlots> heap_of_{};
  uint8_t heap_ = 0;  // the same of the operation at hand
  LiveNames names_;
  uint32_t count_ = 0;
  uint32_t newest_ = 0;
};

// Whether an allocation with these arguments should succeed: legal alignment, no overflow, and at most 1 GiB.
bool likely_succeeds(const OpInfo& row, const Operation& operation, uint64_t member);

}  // namespace assay
