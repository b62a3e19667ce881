#include "harness/oracle/walk.h"

#include <algorithm>

#include "harness/oracle/describe.h"

namespace assay {

void Walk::start(bool all_blocks) {
  count_ = used_ = requested_ = blocks_of_area_ = wrong_count_ = 0;
  all_blocks_ = all_blocks;
  in_area_ = miscounted_ = misplaced_ = mistagged_ = has_tag_ = was_whole_ = false;
}

void Walk::end_area() {
  if (in_area_ && all_blocks_ && blocks_of_area_ != area_.used && !miscounted_) {
    miscounted_ = true;
    wrong_area_ = area_;
    wrong_count_ = blocks_of_area_;
  }
  in_area_ = false;
}

bool Walk::take(void* context, const VisitedArea& area, uintptr_t block, uint64_t block_size) {
  Walk& walk = *static_cast<Walk*>(context);
  if (block == 0) {
    walk.end_area();
    walk.in_area_ = true;
    walk.area_ = area;
    walk.blocks_of_area_ = 0;
    walk.used_ += area.used;
    if (walk.has_tag_ && walk.tag_ != area.tag) walk.mistagged_ = true;
    walk.has_tag_ = true;
    walk.tag_ = area.tag;
    return true;
  }
  ++walk.blocks_of_area_;
  const bool inside = block >= area.start && block - area.start + block_size <= area.bytes;
  if (!inside && !walk.misplaced_) {
    walk.misplaced_ = true;
    walk.wrong_area_ = area;
    walk.wrong_block_ = block;
  }
  walk.shown_.reserve(walk.count_ + 1);
  walk.shown_[walk.count_++] = {block, block_size, 0};
  return true;
}

Walk::Shown* Walk::find(uintptr_t address) {
  Shown* const begin = count_ == 0 ? nullptr : &shown_[0];
  Shown* const after = std::upper_bound(begin, begin + count_, address,
                                        [](uintptr_t at, const Shown& shown) { return at < shown.start; });
  if (after == begin) return nullptr;
  Shown* const last = after - 1;
  return address - last->start < std::max<uint64_t>(last->bytes, 1) ? last : nullptr;
}

bool Walk::check_areas(const Expected& expected, Violation& violation) const {
  if (misplaced_) {
    describe(violation.sentence, "a walk shows a block outside of its area");
    describe(violation.expected, "a block in [{:#x}, {:#x})", wrong_area_.start, wrong_area_.start + wrong_area_.bytes);
    describe(violation.seen, "{:#x}", wrong_block_);
    return false;
  }
  if (miscounted_) {
    describe(violation.sentence, "a walk shows an area with another number of blocks than it says");
    describe(violation.expected, "{} blocks", wrong_area_.used);
    describe(violation.seen, "{} blocks", wrong_count_);
    return false;
  }
  if ((mistagged_ && !expected.any_heap) ||
      (expected.whole && !expected.any_heap && has_tag_ && tag_ != expected.tag)) {
    describe(violation.sentence, "a walk shows areas with the tag of another heap");
    describe(violation.expected, "tag {}", expected.tag);
    describe(violation.seen, "tag {}", tag_);
    return false;
  }
  return true;
}

bool Walk::report_unknown(const ShadowHeap& model, const Shown& shown, Violation& violation) const {
  describe(violation.sentence, "a walk shows a block that is not live in this heap");
  describe(violation.expected, "live blocks of the heap only");
  describe(violation.seen, "a block of {} bytes at {:#x}", shown.bytes, shown.start);
  const uint64_t slot = model.find_overlap(shown.start, std::max<uint64_t>(shown.bytes, 1));
  if (slot != ShadowHeap::kNoSlot) set_victim(violation, slot, model.at(slot));
  return false;
}

bool Walk::check(const ShadowHeap& model, const Expected& expected, Violation& violation) {
  end_area();
  violation.oracle = Oracle::kWalk;
  if (!check_areas(expected, violation)) return false;
  if (count_ != 0)
    std::sort(&shown_[0], &shown_[0] + count_, [](const auto& a, const auto& b) { return a.start < b.start; });
  for (uint64_t i = 1; i < count_; ++i) {
    if (shown_[i].start != shown_[i - 1].start) continue;
    describe(violation.sentence, "a walk shows a block twice");
    describe(violation.expected, "each live block once");
    describe(violation.seen, "the block at {:#x} twice", shown_[i].start);
    return false;
  }
  uint64_t blocks = 0;
  for (uint64_t slot = 0; slot < model.slot_count(); ++slot) {
    if (!model.live(slot) || (!expected.any_heap && model.heap_of(model.at(slot)) != expected.heap)) continue;
    ++blocks;
    if (!all_blocks_) continue;
    const Block& block = model.at(slot);
    Shown* const shown = find(block.address);
    if (shown != nullptr) {
      ++shown->seen;
      requested_ += block.requested;
    }
    if (shown != nullptr || !expected.whole) continue;
    describe(violation.sentence, "a walk does not show the live block p{}", slot);
    describe(violation.expected, "every live block of the heap");
    describe(violation.seen, "{} blocks, none of them at {:#x}", count_, block.address);
    set_victim(violation, slot, block);
    return false;
  }
  for (uint64_t i = 0; i < count_; ++i) {
    if (shown_[i].seen == 0 && !expected.others) return report_unknown(model, shown_[i], violation);
  }
  if (expected.whole && !expected.others && used_ != blocks) {
    describe(violation.sentence, "a walk shows areas with another number of blocks than the heap has");
    describe(violation.expected, "{} blocks", blocks);
    describe(violation.seen, "{} blocks", used_);
    return false;
  }
  violation = Violation{};
  was_whole_ = expected.whole && !expected.others;
  return true;
}

}  // namespace assay
