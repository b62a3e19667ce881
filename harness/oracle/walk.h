// A walk over a heap shows what the model believes, in both directions: each live block once, and nothing else; each
// area with the blocks that it says it has.
#pragma once

#include <cstdint>

#include "harness/model/mapped_array.h"
#include "harness/model/shadow_heap.h"
#include "harness/oracle/violation.h"
#include "harness/subject/heap_kit.h"

namespace assay {

// Keeps what a visit shows. Allocates nothing from the subject, which is in the middle of the visit.
class Walk {
 public:
  void start(bool all_blocks);
  static bool take(void* walk, const VisitedArea& area, uintptr_t block, uint64_t block_size);

  // What the visited pages belong to.
  struct Expected {
    uint32_t heap = MadeHeaps::kBacking;  // the record whose blocks are shown
    int tag = 0;
    bool any_heap = false;  // of any record: blocks of ended threads
    bool whole = true;      // all blocks of that record; else some of them
    bool others = false;    // blocks that are not the program's may be shown, too
  };
  // Needs that no other thread allocates or frees.
  // Sums up what was shown, too.
  [[nodiscard]] bool check(const ShadowHeap& model, const Expected& expected, Violation& violation);
  // Of the last check: whether all blocks of a heap were to be shown; blocks that the areas say they have, and what was
  // asked for those that were shown one by one.
  bool was_whole() const { return was_whole_; }
  uint64_t blocks() const { return used_; }
  uint64_t requested_bytes() const { return requested_; }

 private:
  struct Shown {
    uintptr_t start;
    uint64_t bytes;
    uint64_t seen;  // how many blocks of the model lie in it
  };

  void end_area();
  Shown* find(uintptr_t address);
  bool check_areas(const Expected& expected, Violation& violation) const;
  bool report_unknown(const ShadowHeap& model, const Shown& shown, Violation& violation) const;

  MappedArray<Shown> shown_;
  uint64_t count_ = 0;
  bool all_blocks_ = true;
  bool in_area_ = false;
  VisitedArea area_{};
  uint64_t blocks_of_area_ = 0;
  uint64_t used_ = 0;  // of all areas
  bool was_whole_ = false;
  uint64_t requested_ = 0;
  // The first area that does not hold what it says.
  bool miscounted_ = false, misplaced_ = false, mistagged_ = false;
  VisitedArea wrong_area_{};
  uint64_t wrong_count_ = 0;
  uintptr_t wrong_block_ = 0;
  int tag_ = 0;
  bool has_tag_ = false;
};

}  // namespace assay
