// Workloads over heaps and arenas: regions that are handed out slice by slice, arenas until there are no more, and
// workloads of many threads in which each thread has a heap of its own.
#include <algorithm>
#include <array>
#include <vector>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {
namespace {

constexpr uint64_t kSliceBytes = uint64_t{64} << 10;

Operation call(OpCode code, uint32_t thread, std::array<Value, kMaxArgs> args) {
  return {.code = code, .thread = thread, .args = args};
}

Value v(uint64_t number) {
  return Value::of(number);
}

// A heap for each thread, from its first operation to its exit or the end of the program; those of every second one are
// bound to an exclusive arena. Half of the threads name their heap in each call, the others make it their default one.
class OverHeaps {
 public:
  explicit OverHeaps(Program program) : from_(std::move(program)) {}

  Program run() {
    for (const Operation& line : from_.lines) add(line);
    for (uint32_t thread = 0; thread < has_heap_.size(); ++thread) {
      if (has_heap_[thread]) end(thread);
    }
    return std::move(to_);
  }

 private:
  static constexpr uint64_t kArenaBytes = uint64_t{32} << 20;

  static uint64_t heap_of(uint32_t thread) { return thread - 1; }
  // There are not so many heaps in a program as threads.
  static bool may_have_heap(uint32_t thread) { return thread != 0 && thread <= kMaxHeaps; }
  static bool names_it(uint32_t thread) { return thread % 4 >= 2; }

  void begin(uint32_t thread) {
    if (thread >= has_heap_.size()) {
      has_heap_.resize(thread + 1);
      has_arena_.resize(thread + 1);
    }
    has_heap_[thread] = true;
    const uint64_t heap = heap_of(thread);
    const bool bound = thread % 2 == 0 && heap < kMaxArenas;
    if (bound && !has_arena_[thread]) {
      to_.lines.push_back(call(OpCode::kReserveOsMemoryEx, thread, {v(heap), v(kArenaBytes), v(0), v(0), v(1)}));
      has_arena_[thread] = true;
    }
    if (bound) {
      to_.lines.push_back(call(OpCode::kHeapNewInArena, thread, {v(heap), v(heap)}));
    } else {
      to_.lines.push_back(call(OpCode::kHeapNew, thread, {v(heap)}));
    }
    if (!names_it(thread)) to_.lines.push_back(call(OpCode::kHeapSetDefault, thread, {v(heap)}));
  }

  void end(uint32_t thread) {
    to_.lines.push_back(call(OpCode::kHeapDelete, thread, {v(heap_of(thread))}));
    has_heap_[thread] = false;
  }

  void add(const Operation& line) {
    const uint32_t thread = line.thread;
    const bool has = thread < has_heap_.size() && has_heap_[thread];
    if (line.code == OpCode::kThreadExit) {
      if (has) end(thread);
    } else if (may_have_heap(thread) && !has) {
      begin(thread);
    }
    Operation& added = to_.lines.emplace_back(line);
    if (!may_have_heap(thread) || !names_it(thread)) return;
    const OpCode of_heap = line.code == OpCode::kMalloc    ? OpCode::kHeapMalloc
                           : line.code == OpCode::kRealloc ? OpCode::kHeapRealloc
                                                           : line.code;
    if (of_heap == line.code) return;
    added.code = of_heap;
    std::copy_backward(line.args.begin(), line.args.end() - 1, added.args.end());
    added.args[0] = v(heap_of(thread));
  }

  Program from_, to_;
  std::vector<bool> has_heap_, has_arena_;
};

}  // namespace

Program region_pool(const WorkloadOptions& options) {
  constexpr uint32_t kSlices = 16, kRegions = 8;
  ProgramBuilder program(options);
  Program made = program.take();
  Random& random = program.random();
  std::vector<uint32_t> out(kRegions, 0);
  const auto slot = [](uint64_t region, uint64_t slice) {
    return ProgramBuilder::slot(static_cast<uint32_t>(region * kSlices + slice));
  };
  std::vector<std::vector<bool>> taken(kRegions, std::vector<bool>(kSlices));
  for (uint64_t region = 0; region < kRegions; ++region) {
    made.lines.push_back(
        call(OpCode::kManageOsMemoryEx, 0, {v(region), v(kSlices * kSliceBytes), v(1), v(0), v(0), v(1)}));
    made.lines.push_back(call(OpCode::kHeapNewInArena, 0, {v(region), v(region)}));
  }
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      const uint64_t region = random.below(kRegions), slice = random.below(kSlices);
      const SlotRange at = slot(region, slice);
      if (!taken[region][slice]) {
        Operation poll = call(OpCode::kHeapZalloc, 0, {v(region), v(kSliceBytes - 512)});
        poll.result = at;
        made.lines.push_back(poll);
        made.lines.push_back({.code = OpCode::kCheck, .thread = thread, .slot = at});
        ++out[region];
      } else {
        made.lines.push_back({.code = OpCode::kFree, .thread = thread, .slot = at});
        --out[region];
      }
      taken[region][slice] = !taken[region][slice];
    }
    if (round % 16 != 15) continue;
    // Memory is tight: a region whose slices are all back is unmapped, another one closed while slices are out.
    for (uint64_t region = 0; region < kRegions; ++region) {
      if (out[region] != 0 && region != round / 16 % kRegions) continue;
      made.lines.push_back(call(out[region] == 0 ? OpCode::kHeapDestroy : OpCode::kHeapDelete, 0, {v(region)}));
      made.lines.push_back(call(OpCode::kHeapNewInArena, 0, {v(region), v(region)}));
    }
    made.lines.push_back(call(OpCode::kCollect, 0, {v(1)}));
  }
  return made;
}

Program arena_limit(const WorkloadOptions& options) {
  constexpr uint64_t kArenaBytes = uint64_t{4} << 20;
  ProgramBuilder program(options);
  Program made = program.take();
  Random& random = program.random();
  // Room for some of the arenas only; the rest must be refused, and nothing else go wrong.
  made.lines.push_back({.code = OpCode::kMalloc, .result = ProgramBuilder::slot(0), .args = {v(100)}});
  const auto limit = static_cast<uint64_t>(OptionId::kArenaLimit);
  made.lines.push_back(call(OpCode::kOptionSet, 0, {v(limit), v((uint64_t{1} << 30) + kMaxArenas / 2 * kArenaBytes)}));
  std::array<uint32_t, kMaxHeaps> maker{};  // the thread of each heap that is there; 0: none
  const uint64_t turns = options.rounds * program.threads();
  for (uint64_t round = 0; round < turns; ++round) {
    const auto thread = static_cast<uint32_t>(1 + round % program.threads());
    const uint64_t arena = round % kMaxArenas, heap = round % kMaxHeaps;
    if (round < kMaxArenas) {
      made.lines.push_back(
          call(OpCode::kReserveOsMemoryEx, thread, {v(arena), v(kArenaBytes), v(round % 3 == 0), v(0), v(1)}));
    }
    if (maker[heap] != 0) made.lines.push_back(call(OpCode::kHeapDestroy, maker[heap], {v(heap)}));
    made.lines.push_back(call(OpCode::kHeapNewInArena, thread, {v(heap), v(arena)}));
    maker[heap] = thread;
    Operation fill = call(OpCode::kHeapMalloc, thread, {v(heap), v(random.between(1, 4) * 400'000)});
    fill.result = ProgramBuilder::slots(static_cast<uint32_t>(1 + heap * 16), 16);
    made.lines.push_back(fill);
    if (random.one_in(2)) continue;
    made.lines.push_back(call(OpCode::kHeapDestroy, thread, {v(heap)}));
    maker[heap] = 0;
  }
  return made;
}

Program cow_trie_heaps(const WorkloadOptions& options) {
  return OverHeaps(cow_trie(options)).run();
}

Program bucketed_intern_heaps(const WorkloadOptions& options) {
  return OverHeaps(bucketed_intern(options)).run();
}

Program bulk_two_phase_heaps(const WorkloadOptions& options) {
  return OverHeaps(bulk_two_phase(options)).run();
}

}  // namespace assay
