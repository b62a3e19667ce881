// What allocators break at has to come up: the sizes, alignments and shapes of programs that the language is there to
// reach, counted over noise, generated programs and their mutants.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/op/decode.h"
#include "harness/op/generate.h"
#include "harness/op/live_slots.h"
#include "harness/op/mutate.h"
#include "harness/op/number_bytes.h"
#include "harness/op/random.h"

namespace assay {
namespace {

constexpr uint64_t kNoisePrograms = 12'000;
constexpr uint64_t kGeneratedPrograms = 300;
constexpr uint64_t kMutations = 6;

constexpr uint64_t kSmallPage = uint64_t{64} << 10;  // of ximalloc; in others something of the kind
constexpr uint64_t kLargeBlock = uint64_t{64} << 10;
constexpr uint64_t kPurgeDelayMs = 10;

struct Asked {
  uint64_t bytes = 1;
  std::optional<uint64_t> alignment, offset;
  bool overflows = false;
};

Asked asked(const OpInfo& row, const Step& step) {
  Asked result;
  for (size_t i = 0; i < row.arg_count(); i++) {
    switch (row.args[i]) {
      case ArgKind::kSize:
      case ArgKind::kSmallSize:
      case ArgKind::kCount:
        result.overflows |= __builtin_mul_overflow(result.bytes, step.args[i], &result.bytes);
        break;
      case ArgKind::kLength: result.bytes = step.args[i] + 1; break;
      case ArgKind::kAlignment: result.alignment = step.args[i]; break;
      case ArgKind::kOffset: result.offset = step.args[i]; break;
      default: break;
    }
    if (row.args[i] == ArgKind::kLength) return result;
  }
  return result;
}

uint32_t class_of(uint64_t bytes) {
  uint32_t index = 0;
  while (index + 1 < kSizeClasses && size_class(index) < bytes) index++;
  return index;
}

struct Block {
  uint64_t bytes = 0;
  uint32_t thread = 0;
  uint64_t generation = 0;  // of the thread: how often its number had exited
  bool aligned = false;
  bool at_offset = false;
  bool shrunk = false;  // by a function that zeroes what comes back
};

class Shapes {
 public:
  std::set<uint64_t> sizes, alignments, offset_alignments;
  std::set<OpCode> first_calls;
  std::map<std::string, uint64_t> shapes;  // programs that have each

  void look_at(const Program& program) {
    live_.clear();
    of_class_.clear();
    filled_.clear();
    started_.fill(false);
    exits_.fill(0);
    seen_.clear();
    freed_large_ = 0;
    ProgramSteps steps(program);
    for (Step step; steps.next(step);) look_at(step);
    for (const std::string& shape : seen_) shapes[shape]++;
  }

 private:
  void look_at(const Step& step) {
    const OpInfo& row = info(step.code);
    if (step.thread != 0 && !started_[step.thread]) first_calls.insert(step.code);
    started_[step.thread] = true;
    if (step.code == OpCode::kThreadExit && step.thread != 0) {
      started_[step.thread] = false;
      exits_[step.thread]++;
    }
    if (step.code == OpCode::kAdvanceClock && step.args[0] >= kPurgeDelayMs && freed_large_ > 0) {
      seen_.insert("time passes after slices were freed");
    }
    if (step.code == OpCode::kCollect && freed_large_ > 0) seen_.insert("collect after slices were freed");
    if (step.code == OpCode::kFork && !live_.empty()) seen_.insert("fork with live blocks");
    const Asked wanted = asked(row, step);
    if (step.result_slot && !wanted.overflows) note_numbers(wanted);
    if (row.result == ResultKind::kEmpties && step.slot) release(*step.slot, step);
    if (step.result_slot) fill(row, wanted, step);
  }

  void note_numbers(const Asked& wanted) {
    sizes.insert(wanted.bytes);
    if (!wanted.alignment) return;
    alignments.insert(*wanted.alignment);
    if (wanted.offset.value_or(0) % std::max<uint64_t>(*wanted.alignment, 1) != 0) {
      offset_alignments.insert(*wanted.alignment);
    }
  }

  void fill(const OpInfo& row, const Asked& wanted, const Step& step) {
    Operation one{.code = step.code};
    for (size_t i = 0; i < step.args.size(); i++) one.args[i] = Value::of(step.args[i]);
    const bool takes = step.slot.has_value();
    if (takes && !live_.contains(*step.slot)) return;
    if (step.result_slot != step.slot && live_.contains(*step.result_slot)) return;
    if (!likely_succeeds(row, one, 0)) {
      if (takes) seen_.insert("a resize that fails");
      return;
    }
    Block block{.bytes = wanted.bytes, .thread = step.thread, .generation = exits_[step.thread]};
    block.aligned = wanted.alignment.value_or(1) > 16;
    block.at_offset = wanted.offset.value_or(0) != 0;
    if (takes) note_resize(row, live_[*step.slot], block);
    if (takes) release(*step.slot, step);
    const uint32_t index = class_of(block.bytes);
    const uint64_t count = ++of_class_[index];
    if (size_class(index) <= kSmallPage / 8 && count * size_class(index) > kSmallPage) {
      seen_.insert("a page fills");
      filled_.insert(index);
    }
    if (freed_large_ > 1 && block.bytes > largest_freed_) seen_.insert("a larger block after neighbours were freed");
    live_[*step.result_slot] = block;
  }

  void note_resize(const OpInfo& row, const Block& old, Block& now) {
    const bool clears = row.code == OpCode::kRezalloc || row.code == OpCode::kRecalloc;
    if (now.bytes > old.bytes) seen_.insert("a resize grows");
    if (now.bytes < old.bytes) seen_.insert("a resize shrinks");
    if (now.bytes <= kSmallPage / 8 && old.bytes > kLargeBlock)
      seen_.insert("a resize from a large page to a small one");
    if (now.bytes > kLargeBlock && old.bytes <= kSmallPage / 8)
      seen_.insert("a resize from a small page to a large one");
    if (old.aligned && !now.aligned) seen_.insert("an aligned block is resized plainly");
    if (old.at_offset) seen_.insert("a block at an offset is resized");
    if (old.thread != now.thread) seen_.insert("a resize by another thread");
    now.shrunk = clears && now.bytes < old.bytes && now.bytes * 2 > old.bytes;
    if (clears && old.shrunk && now.bytes > old.bytes) seen_.insert("what was shrunk grows again, cleared");
  }

  void release(uint64_t slot, const Step& step) {
    const auto found = live_.find(slot);
    if (found == live_.end()) return;
    const Block& block = found->second;
    if (block.thread != step.thread) seen_.insert("a block is freed by another thread");
    if (block.generation != exits_[block.thread]) seen_.insert("a block outlives its thread and is freed");
    if (block.at_offset) seen_.insert("a block at an offset is freed");
    if (block.bytes >= kLargeBlock) {
      freed_large_++;
      largest_freed_ = block.bytes;
    }
    const uint32_t index = class_of(block.bytes);
    if (--of_class_[index] == 0 && filled_.contains(index)) seen_.insert("a page that was full empties");
    live_.erase(found);
  }

  std::unordered_map<uint64_t, Block> live_;
  std::map<uint32_t, uint64_t> of_class_;
  std::set<uint32_t> filled_;
  std::array<bool, kMaxThreads> started_{};
  std::array<uint64_t, kMaxThreads> exits_{};
  std::set<std::string> seen_;
  uint64_t freed_large_ = 0, largest_freed_ = 0;
};

Shapes draw_all() {
  Shapes counted;
  for (uint64_t seed = 0; seed < kNoisePrograms; seed++) {
    std::vector<uint8_t> bytes(random_at(seed, 99) % 400);
    Random random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits() >> 56);
    counted.look_at(decode(bytes));
    // The same behind the mark of programs that are about heaps.
    bytes.insert(bytes.begin(), {0xd3, 'h', 'a'});
    counted.look_at(decode(bytes));
  }
  for (uint64_t seed = 0; seed < kGeneratedPrograms; seed++) {
    Program program = generate(seed, random_at(seed, 7) % 300);
    for (uint64_t round = 0; round < kMutations; round++) {
      counted.look_at(program);
      program = mutate(program, seed * kMutations + round, 4096);
    }
  }
  return counted;
}

void expect_every_size_class_and_its_neighbours(const Shapes& shapes) {
  for (uint32_t i = 0; i < kSizeClasses; i++) {
    for (const uint64_t size : {size_class(i) - 1, size_class(i), size_class(i) + 1}) {
      EXPECT_TRUE(shapes.sizes.contains(size)) << size;
    }
  }
}

void expect_borders_powers_and_the_largest_sizes(const Shapes& shapes) {
  for (const uint64_t border : {8u << 10, 64u << 10, 512u << 10, 4u << 20}) {
    for (const uint64_t size : {border - 1, border, border + 1}) EXPECT_TRUE(shapes.sizes.contains(size)) << size;
  }
  for (int power = 0; power < 64; power++) {
    const uint64_t size = uint64_t{1} << power;
    for (const uint64_t near : {size - 1, size, size + 1}) EXPECT_TRUE(shapes.sizes.contains(near)) << near;
  }
  // PTRDIFF_MAX is 2^63 - 1 and so above; SIZE_MAX and what overflows when an allocator adds to it:
  for (const uint64_t less : {0, 1, 7, 8, 15, 16, 63, 64}) {
    EXPECT_TRUE(shapes.sizes.contains(~uint64_t{0} - less)) << less;
  }
}

void expect_alignments_to_a_gigabyte(const Shapes& shapes) {
  for (int power = 0; power <= 30; power++) {
    EXPECT_TRUE(shapes.alignments.contains(uint64_t{1} << power)) << power;
    if (power > 0) EXPECT_TRUE(shapes.offset_alignments.contains(uint64_t{1} << power)) << power;
  }
  for (const uint64_t wrong : {uint64_t{0}, uint64_t{3}, uint64_t{24}, uint64_t{1} << 63}) {
    EXPECT_TRUE(shapes.alignments.contains(wrong)) << wrong;
  }
}

void expect_each_operation_first_on_a_thread(const Shapes& shapes) {
  for (const OpInfo& row : all_ops()) {
    // What is said of the operating system calls no allocator.
    if (row.precondition == Precondition::kLastLine || row.code == OpCode::kOsHeal) continue;
    EXPECT_TRUE(shapes.first_calls.contains(row.code)) << row.name;
  }
}

void expect_what_heaps_go_through(const Shapes& shapes) {
  const std::vector<std::string> kWanted = {"a page fills",
                                            "a page that was full empties",
                                            "time passes after slices were freed",
                                            "collect after slices were freed",
                                            "a larger block after neighbours were freed",
                                            "fork with live blocks",
                                            "a resize grows",
                                            "a resize shrinks",
                                            "a resize that fails",
                                            "a resize from a large page to a small one",
                                            "a resize from a small page to a large one",
                                            "a resize by another thread",
                                            "an aligned block is resized plainly",
                                            "a block at an offset is resized",
                                            "a block at an offset is freed",
                                            "what was shrunk grows again, cleared",
                                            "a block is freed by another thread",
                                            "a block outlives its thread and is freed"};
  const uint64_t programs = kNoisePrograms + kGeneratedPrograms * kMutations;
  for (const std::string& shape : kWanted) {
    const auto found = shapes.shapes.find(shape);
    const uint64_t times = found == shapes.shapes.end() ? 0 : found->second;
    fmt::print("  {:<45} in {:>6} of {} programs\n", shape, times, programs);
    EXPECT_GE(times, 10u) << shape;
  }
}

// One test, since drawing takes most of its time.
TEST(Shapes, WhatAllocatorsBreakAtComesUp) {
  const Shapes shapes = draw_all();
  expect_every_size_class_and_its_neighbours(shapes);
  expect_borders_powers_and_the_largest_sizes(shapes);
  expect_alignments_to_a_gigabyte(shapes);
  expect_each_operation_first_on_a_thread(shapes);
  expect_what_heaps_go_through(shapes);
}

}  // namespace
}  // namespace assay
