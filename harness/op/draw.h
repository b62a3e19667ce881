// Draws operations, slots and numbers at random, aimed at the blocks that are likely live. What the generator, the
// mutator and crossover share.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/op/live_slots.h"
#include "harness/op/op_byte.h"
#include "harness/op/program.h"
#include "harness/op/random.h"

namespace assay {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  Random& random() { return random_; }
  // Whether what is drawn without Features may be about heaps, and about more of them than usual.
  void allow_heaps(bool wide) {
    heaps_ = true;
    wide_ = wide;
  }

  // A whole operation that is likely to run after what `live` says, of at most `members` members.
  Operation operation(const LiveSlots& live, Features features, uint64_t members);
  // The same of one row.
  Operation operation_of(const OpInfo& row, const LiveSlots& live, Features features, uint64_t members);
  // One of the rows with this result, by weight.
  const OpInfo& row_with(ResultKind result);
  // Draws the arguments of an operation whose slots are known.
  void numbers(const OpInfo& row, Operation& operation);
  // An allocation of one block (not realloc) into `slot`.
  Operation allocation(uint32_t slot, uint32_t thread);

  // Calls that fail in an operation: mostly one of the first of its kind, with ENOMEM.
  std::vector<Failure> failures();

  Value number(ArgKind kind);                    // the mix that noise in the byte form gives
  uint64_t near(uint64_t number, ArgKind kind);  // a neighbour, a border, half or twice as much
  uint32_t thread(Features features);
  std::optional<uint32_t> live_slot(const LiveSlots& live);
  std::optional<uint32_t> empty_slot(const LiveSlots& live);

 private:
  OpCode code(const LiveSlots& live, Features features);
  std::optional<SlotRange> slots(const LiveSlots& live, bool taken, uint64_t members);

  uint64_t name(ArgKind kind);

  Random random_;
  bool heaps_ = false, wide_ = false;
};

// Whether a program names heaps beyond the usual ones.
bool has_many_heaps(const std::vector<Operation>& lines);

// Aims the heaps and arenas of an operation at those that there are, and the operation at the heap's thread.
void aim_names(Operation& operation, const LiveNames& live);

// Aims what has come to miss: an operation that takes an empty slot, or fills a live one, gets the next one that suits.
// One in 32 stays as it is, so that skipping is tried too. Cuts the program at kMaxOperations.
void settle(Program& program, Draw& draw);

}  // namespace assay
