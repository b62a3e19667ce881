// The minimiser's pass on which function is called: of the malloc family, the plainest one that shows the same. What a
// call asks for is read from its row of ops.def, so that a new operation is simplified like all others.
#include <array>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

using Args = std::array<Value, kMaxArgs>;

// The numbers of a call that have a meaning in every call.
struct Asked {
  std::optional<uint64_t> bytes;  // nothing: drawn, or the product is no number
  std::optional<Value> count, size, alignment;
};

Asked asked_by(const Operation& line) {
  Asked asked;
  const OpInfo& row = info(line.code);
  uint64_t bytes = 1;
  bool known = true;
  for (size_t i = 0; i < row.args.size(); i++) {
    const Value value = line.args[i];
    switch (row.args[i]) {
      case ArgKind::kCount: asked.count = value; break;
      case ArgKind::kSize:
      case ArgKind::kSmallSize: asked.size = value; break;
      case ArgKind::kAlignment: asked.alignment = value; continue;
      default: continue;
    }
    known = known && value.single() && !__builtin_mul_overflow(bytes, value.low, &bytes);
  }
  if (known && asked.size) asked.bytes = bytes;
  return asked;
}

// A single drawn size stays drawn; a product must be known.
std::optional<Value> plain_size(const Asked& asked) {
  if (asked.bytes) return Value::of(*asked.bytes);
  return asked.count ? std::nullopt : asked.size;
}

bool try_call(Candidates& candidates, size_t i, OpCode code, std::optional<SlotRange> slot, const Args& args) {
  Program candidate = candidates.best();
  Operation& line = candidate.lines[i];
  line.code = code;
  line.slot = slot;
  line.args = args;
  return candidates.accept(std::move(candidate));
}

bool is(const Candidates& candidates, size_t i, OpCode code) {
  return candidates.lines()[i].code == code;
}

bool fill_plainly(Candidates& candidates, size_t i) {
  const Asked asked = asked_by(candidates.lines()[i]);
  const std::optional<Value> size = plain_size(asked);
  if (size && try_call(candidates, i, OpCode::kMalloc, std::nullopt, {*size})) return true;
  if (asked.count && asked.size && !is(candidates, i, OpCode::kCalloc) &&
      try_call(candidates, i, OpCode::kCalloc, std::nullopt, {*asked.count, *asked.size})) {
    return true;
  }
  if (size && try_call(candidates, i, OpCode::kCalloc, std::nullopt, {Value::of(1), *size})) return true;
  if (info(candidates.lines()[i].code).args[0] == ArgKind::kHeap) {
    const Value heap = candidates.lines()[i].args[0];
    const bool plain = !size || is(candidates, i, OpCode::kHeapMalloc);
    if (!plain && try_call(candidates, i, OpCode::kHeapMalloc, std::nullopt, {heap, *size})) return true;
    return plain;
  }
  if (!size || !asked.alignment) return false;
  if (try_call(candidates, i, OpCode::kAlignedAlloc, std::nullopt, {*asked.alignment, *size})) return true;
  return !is(candidates, i, OpCode::kPosixMemalign) && !is(candidates, i, OpCode::kAlignedAlloc) &&
         try_call(candidates, i, OpCode::kPosixMemalign, std::nullopt, {*asked.alignment, *size});
}

// `p1 = realloc(p0, n)` where only the new block matters: malloc, with the old block as it is, or never allocated.
bool move_to_new(Candidates& candidates, size_t i, const Value& size) {
  const Operation line = candidates.lines()[i];
  if (line.slot != line.result && try_call(candidates, i, OpCode::kMalloc, std::nullopt, {size})) return true;
  for (size_t fill = i; line.slot && fill-- > 0;) {
    if (candidates.lines()[fill].result != line.slot) continue;
    Program candidate = candidates.best();
    candidate.lines[i].code = OpCode::kMalloc;
    candidate.lines[i].slot.reset();
    candidate.lines[i].args = {size};
    candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(fill));
    return candidates.accept(std::move(candidate));
  }
  return false;
}

void move_plainly(Candidates& candidates, size_t i) {
  const Operation line = candidates.lines()[i];
  const Asked asked = asked_by(line);
  const std::optional<Value> size = plain_size(asked);
  if (!size || move_to_new(candidates, i, *size)) return;
  if (info(line.code).args[0] == ArgKind::kHeap) {
    if (try_call(candidates, i, OpCode::kRealloc, line.slot, {Value{}, *size})) return;
    if (line.code != OpCode::kHeapRealloc) {
      try_call(candidates, i, OpCode::kHeapRealloc, line.slot, {line.args[0], Value{}, *size});
    }
    return;
  }
  // From plain to special; what stands behind a call here is never tried for it, or the two would alternate for ever.
  constexpr OpCode kFromPlain[] = {OpCode::kRealloc, OpCode::kReallocarray, OpCode::kRezalloc, OpCode::kReallocAligned,
                                   OpCode::kRezallocAligned};
  for (const OpCode code : kFromPlain) {
    if (is(candidates, i, code)) return;
    Args args = {Value{}, *size};
    if (code == OpCode::kReallocarray) {
      if (!asked.count) continue;
      args = {Value{}, *asked.count, *asked.size};
    } else if (code == OpCode::kReallocAligned || code == OpCode::kRezallocAligned) {
      if (!asked.alignment) return;
      args[2] = *asked.alignment;
    }
    if (try_call(candidates, i, code, line.slot, args)) return;
  }
}

}  // namespace

void simplify_operations(Candidates& candidates) {
  candidates.begin_pass("operations");
  // A realloc that became a malloc may have taken an earlier line away, so the index can pass the end.
  for (size_t i = candidates.lines().size(); i-- > 0 && !candidates.stopped();) {
    if (i >= candidates.lines().size()) continue;
    const Operation line = candidates.lines()[i];
    switch (info(line.code).result) {
      case ResultKind::kFills:
        // A string's length is no size; it is one byte less.
        if (line.code == OpCode::kStrdup && line.args[0].single()) {
          try_call(candidates, i, OpCode::kMalloc, std::nullopt, {Value::of(line.args[0].low + 1)});
        } else if (line.code == OpCode::kHeapStrdup && line.args[1].single()) {
          const Value size = Value::of(line.args[1].low + 1);
          if (!try_call(candidates, i, OpCode::kMalloc, std::nullopt, {size})) {
            try_call(candidates, i, OpCode::kHeapMalloc, std::nullopt, {line.args[0], size});
          }
        } else if (line.code != OpCode::kMalloc) {
          fill_plainly(candidates, i);
        }
        break;
      case ResultKind::kMoves: move_plainly(candidates, i); break;
      case ResultKind::kEmpties:
        if (line.code != OpCode::kFree) try_call(candidates, i, OpCode::kFree, line.slot, {});
        break;
      case ResultKind::kNone:
        if (line.code == OpCode::kHeapNewEx || line.code == OpCode::kHeapNewInArena) {
          try_call(candidates, i, OpCode::kHeapNew, std::nullopt, {line.args[0]});
        } else if (line.code == OpCode::kHeapDestroy) {
          try_call(candidates, i, OpCode::kHeapDelete, std::nullopt, {line.args[0]});
        }
        break;
    }
  }
}

}  // namespace assay
