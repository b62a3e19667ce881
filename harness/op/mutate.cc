#include "harness/op/mutate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/op/draw.h"
#include "harness/op/encode.h"
#include "harness/op/schedule.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

using Lines = std::vector<Operation>;
constexpr size_t kLongestBlock = 16;  // lines that one change copies, moves or removes
constexpr uint32_t kGrownSlots = 200;
constexpr uint64_t kLikelyAccesses = 24;
constexpr uint64_t kFirstEvents = 6;    // at most so many for a program that had none
constexpr size_t kScheduleEvents = 24;  // mutation adds none to a program that has so many

class Mutator {
 public:
  Mutator(const Program& program, uint64_t seed, const MutateOptions& options)
      : program_(program),
        lines_(program_.lines),
        draw_(seed),
        random_(draw_.random()),
        schedules_(options.schedules || has_schedule(program)),
        heaps_(options.heaps || features_needed(lines_).heaps) {
    if (heaps_) draw_.allow_heaps(has_many_heaps(lines_));
  }

  void change() {
    if (schedules_ && random_.one_in(3) && features_needed(lines_).threads) return change_schedule();
    if (heaps_ && random_.one_in(16)) return insert_region();
    struct Change {
      uint32_t weight;
      void (Mutator::*apply)();
    };
    static constexpr std::array<Change, 16> kChanges = {{
        {12, &Mutator::insert_operations},
        {10, &Mutator::remove_lines},
        {6, &Mutator::duplicate_lines},
        {6, &Mutator::move_lines},
        {6, &Mutator::swap_lines},
        {22, &Mutator::change_number},
        {10, &Mutator::change_slot},
        {4, &Mutator::change_thread},
        {4, &Mutator::grow_volume},
        {8, &Mutator::insert_pair},
        {6, &Mutator::insert_realloc},
        {4, &Mutator::focus_sizes},
        {4, &Mutator::free_many},
        {6, &Mutator::change_operation},
        {4, &Mutator::insert_first_call},
        {5, &Mutator::change_failures},
    }};
    uint64_t sum = 0;
    for (const Change& change : kChanges) sum += change.weight;
    uint64_t ticket = random_.below(sum);
    for (const Change& change : kChanges) {
      if (ticket < change.weight) return (this->*change.apply)();
      ticket -= change.weight;
    }
  }

  bool changed(const Program& original) const { return lines_ != original.lines; }

  Program finish(size_t max_bytes) {
    settle(program_, draw_);
    aim_schedule(program_);
    if (schedules_ && !lines_.empty() && !has_schedule(program_)) {
      for (uint64_t left = random_.between(1, kFirstEvents); left > 0; left--) add_event();
      aim_schedule(program_);
    }
    encode_beginning(program_, max_bytes);
    return std::move(program_);
  }

 private:
  // Where a line can be put: before any line, or at the end.
  size_t gap() { return random_.below(lines_.size() + 1); }
  size_t line() { return random_.below(lines_.size()); }
  std::pair<size_t, size_t> block() {
    const size_t first = line();
    return {first, std::min(lines_.size(), first + 1 + random_.below(random_.one_in(3) ? kLongestBlock : 2))};
  }

  // The lines' own features; fork comes to a program that had none once in 64 changes that could bring it. Failures
  // come by change_failures() only.
  Features features() {
    Features features = features_needed(lines_);
    features.fork |= random_.one_in(64);
    features.heaps = heaps_;
    return features;
  }

  LiveSlots live_before(size_t gap) const {
    LiveSlots live;
    for (size_t i = 0; i < gap; i++) live.apply(lines_[i]);
    return live;
  }

  void insert(size_t gap, const Lines& block) {
    lines_.insert(lines_.begin() + static_cast<ptrdiff_t>(gap), block.begin(), block.end());
  }

  void insert_operations() {
    const size_t at = gap();
    const Features allowed = features();
    LiveSlots live = live_before(at);
    Lines block;
    for (uint64_t left = random_.between(1, 4); left > 0; left--) {
      live.apply(block.emplace_back(draw_.operation(live, allowed, kMaxOperations)));
    }
    insert(at, block);
  }

  void remove_lines() {
    if (lines_.empty()) return;
    const auto [first, last] = block();
    lines_.erase(lines_.begin() + static_cast<ptrdiff_t>(first), lines_.begin() + static_cast<ptrdiff_t>(last));
  }

  void duplicate_lines() {
    if (lines_.empty()) return;
    const auto [first, last] = block();
    const Lines copy(lines_.begin() + static_cast<ptrdiff_t>(first), lines_.begin() + static_cast<ptrdiff_t>(last));
    const size_t at = gap();
    for (uint64_t times = random_.one_in(4) ? random_.between(2, 8) : 1; times > 0; times--) insert(at, copy);
  }

  void move_lines() {
    if (lines_.empty()) return;
    const auto [first, last] = block();
    const Lines copy(lines_.begin() + static_cast<ptrdiff_t>(first), lines_.begin() + static_cast<ptrdiff_t>(last));
    lines_.erase(lines_.begin() + static_cast<ptrdiff_t>(first), lines_.begin() + static_cast<ptrdiff_t>(last));
    insert(gap(), copy);
  }

  void swap_lines() {
    if (lines_.size() < 2) return;
    std::swap(lines_[line()], lines_[line()]);
  }

  void change_number() {
    if (lines_.empty()) return insert_operations();
    Operation& operation = lines_[line()];
    const OpInfo& row = info(operation.code);
    for (size_t i = 0; i < row.arg_count(); i++) {
      if (row.args[i] == ArgKind::kSlot || random_.one_in(3)) continue;
      Value& value = operation.args[i];
      if (!value.single() && random_.one_in(2)) {
        value.seed = random_.below(256);
      } else {
        value = Value::of(random_.one_in(8) ? other_number(row.args[i]) : draw_.near(value.low, row.args[i]));
      }
    }
  }

  // A number that the program has elsewhere: equal sizes meet on one page.
  uint64_t other_number(ArgKind kind) {
    const Operation& operation = lines_[line()];
    const OpInfo& row = info(operation.code);
    for (size_t i = 0; i < row.args.size(); i++) {
      if (row.args[i] == kind) return operation.args[i].low;
    }
    return draw_.number(kind).low;
  }

  void change_slot() {
    if (lines_.empty()) return insert_operations();
    const size_t at = line();
    Operation& operation = lines_[at];
    const LiveSlots live = live_before(at);
    const bool both = operation.slot && operation.result;
    if (operation.slot && (!both || random_.one_in(2))) {
      if (const auto slot = draw_.live_slot(live)) replace(operation, operation.slot, *slot);
    } else if (operation.result) {
      if (const auto slot = draw_.empty_slot(live)) replace(operation, operation.result, *slot);
    }
  }

  // Puts one slot in the place of an operand. The other operand follows when they would no longer pair.
  static void replace(Operation& operation, std::optional<SlotRange>& operand, uint32_t slot) {
    operand = SlotRange{.first = slot, .last = slot};
    if (operation.slot && operation.result && operation.slot->members() != operation.result->members()) {
      operation.slot = operation.result = operand;
    }
  }

  void change_thread() {
    if (lines_.empty()) return;
    // A program without threads gets them in one of four tries: they cost time at every run.
    if (!features_needed(lines_).threads && !random_.one_in(4)) return change_number();
    const auto [first, last] = block();
    const auto thread = static_cast<uint32_t>(random_.below(kMaxThreads));
    for (size_t i = first; i < last; i++) {
      if (lines_[i].code != OpCode::kEnd) lines_[i].thread = thread;
    }
  }

  // Many blocks where there was one, or a line of many blocks somewhere.
  void grow_volume() {
    const size_t at = gap();
    const auto first = static_cast<uint32_t>(random_.below(kGrownSlots));
    const auto count = static_cast<uint32_t>(random_.between(2, random_.one_in(8) ? 256 : 32));
    Operation operation = draw_.allocation(first, draw_.thread(features_needed(lines_)));
    operation.result->last = first + count - 1;
    const OpInfo& row = info(operation.code);
    for (size_t i = 0; i < row.arg_count(); i++) {
      if (row.args[i] != ArgKind::kSize) continue;
      const uint64_t low = operation.args[i].low % 4096;
      operation.args[i] =
          random_.one_in(2) ? Value::of(low) : Value{low, low + random_.between(1, 2048), random_.below(256)};
    }
    insert(at, {operation});
  }

  // A block and, behind it, what frees it, on one thread or on two.
  void insert_pair() {
    const size_t at = gap();
    const auto slot = draw_.empty_slot(live_before(at));
    if (!slot) return;
    const Features allowed = features_needed(lines_);
    const Operation release{.code = draw_.row_with(ResultKind::kEmpties).code,
                            .thread = draw_.thread(allowed),
                            .slot = SlotRange{.first = *slot, .last = *slot}};
    insert(at, {draw_.allocation(*slot, draw_.thread(allowed))});
    insert(at + 1 + random_.below(lines_.size() - at), {release});
  }

  void insert_realloc() {
    const size_t at = gap();
    const auto slot = draw_.live_slot(live_before(at));
    if (!slot) return insert_pair();
    const SlotRange range{.first = *slot, .last = *slot};
    const OpInfo& row = draw_.row_with(ResultKind::kMoves);
    Operation grow{.code = row.code, .thread = draw_.thread(features_needed(lines_)), .result = range, .slot = range};
    draw_.numbers(row, grow);
    insert(at, {grow});
  }

  // Each operation in turn as the first call of a thread that has just begun: there a heap is made, or is not yet
  // there.
  void insert_first_call() {
    // As with change_thread, threads come to a program without them in one of four tries.
    if (!features_needed(lines_).threads && !random_.one_in(4)) return insert_operations();
    const size_t at = gap();
    const std::vector<OpInfo>& rows = all_ops();
    const OpInfo& row = rows[random_.below(rows.size())];
    if (row.precondition == Precondition::kLastLine || (row.is_about_heaps() && !heaps_)) return;
    const Features allowed{.threads = true, .fork = row.code == OpCode::kFork, .heaps = heaps_};
    Operation first = draw_.operation_of(row, live_before(at), allowed, 1);
    first.thread = static_cast<uint32_t>(random_.between(1, kMaxThreads - 1));
    insert(at, {{.code = OpCode::kThreadExit, .thread = first.thread}, first});
  }

  // A heap from its beginning to its end, in an arena of its own or not: the way of most programs that have any.
  void insert_region() {
    const size_t at = gap();
    LiveSlots live = live_before(at);
    const uint32_t thread = draw_.thread(features_needed(lines_));
    Lines block;
    const auto add = [&](OpCode code, uint32_t on) -> Operation& {
      Operation& line = block.emplace_back(Operation{.code = code, .thread = on});
      draw_.numbers(info(code), line);
      return line;
    };
    Operation made{.code = OpCode::kHeapNew, .thread = thread};
    if (random_.one_in(2)) {
      Operation& arena = add(OpCode::kManageOsMemoryEx, thread);
      aim_names(arena, live.names());
      made = {.code = OpCode::kHeapNewInArena, .thread = thread};
      made.args[1] = arena.args[0];
    }
    const uint32_t usual = random_.one_in(16) ? kMaxHeaps : kUsualHeaps;
    made.args[0] = Value::of(live.names().next_empty(ArgKind::kNewHeap, 0, usual).value_or(0));
    block.push_back(made);
    for (uint64_t left = random_.between(1, 6); left > 0; left--) {
      const auto slot = draw_.empty_slot(live);
      if (!slot) break;
      Operation& line = add(OpCode::kHeapMalloc, thread);
      line.args[0] = made.args[0];
      line.result = SlotRange{.first = *slot, .last = *slot};
      if (random_.one_in(4))
        line.result->last += live.run(*slot, static_cast<uint32_t>(random_.between(1, 64)), false) - 1;
      live.apply(line);
    }
    insert(at, block);
    if (random_.one_in(4)) return;
    Operation end{.code = random_.one_in(2) ? OpCode::kHeapDestroy : OpCode::kHeapDelete, .thread = thread};
    end.args[0] = made.args[0];
    insert(at + block.size() + random_.below(lines_.size() - at - block.size() + 1), {end});
  }

  // One size for a stretch of the program, give or take a byte.
  void focus_sizes() {
    if (lines_.empty()) return;
    const uint64_t size = draw_.number(ArgKind::kSize).low;
    const size_t first = line();
    const size_t last = std::min(lines_.size(), first + 4 + random_.below(32));
    for (size_t i = first; i < last; i++) {
      const OpInfo& row = info(lines_[i].code);
      for (size_t k = 0; k < row.arg_count(); k++) {
        if (row.args[k] == ArgKind::kSize && !random_.one_in(4)) lines_[i].args[k] = Value::of(size - random_.below(2));
      }
    }
  }

  // Frees a stretch of live slots, all of them, every second or a random half: the holes that reuse and purging need.
  void free_many() {
    const size_t at = gap();
    const LiveSlots live = live_before(at);
    const auto first = live.next_live(0);
    if (!first) return;
    SlotRange range{.first = *first, .last = *first + live.run(*first, kMaxSlots, true) - 1};
    if (random_.one_in(3)) range.step = 2;
    if (random_.one_in(3)) range.half_seed = random_.below(256);
    range.normalise();
    insert(at, {{.code = OpCode::kFree, .thread = draw_.thread(features_needed(lines_)), .slot = range}});
  }

  // The same slot by another way: another function that allocates, moves or frees it.
  void change_operation() {
    if (lines_.empty()) return;
    Operation& operation = lines_[line()];
    const OpInfo& old = info(operation.code);
    if (old.result == ResultKind::kNone) return change_slot();
    const OpInfo& row = draw_.row_with(old.result);
    operation.code = row.code;
    operation.args = {};
    draw_.numbers(row, operation);
  }

  // Lets a system call fail somewhere, or elsewhere, or no longer. A program without failures gets them in one of four
  // tries, so that most programs also run on a system that never refuses.
  void change_failures() {
    std::vector<size_t> failing;
    for (size_t i = 0; i < lines_.size(); i++) {
      if (!lines_[i].fails.empty()) failing.push_back(i);
    }
    if (lines_.empty() || (failing.empty() && !random_.one_in(4))) return change_number();
    if (!failing.empty() && random_.one_in(2)) {
      const size_t at = failing[random_.below(failing.size())];
      std::vector<Failure> fails = std::move(lines_[at].fails);
      lines_[at].fails.clear();
      // Away, to another line, or as others.
      if (random_.one_in(3)) return;
      lines_[random_.one_in(2) ? line() : at].fails = random_.one_in(2) ? std::move(fails) : draw_.failures();
      return;
    }
    if (random_.one_in(8)) {
      if (lines_.back().code != OpCode::kEnd) lines_.push_back({.code = OpCode::kEnd});
      lines_.back().fails = draw_.failures();
      return;
    }
    const size_t at = line();
    lines_[at].fails = draw_.failures();
    if (lines_[at].fails.back().persistent && random_.one_in(2)) {
      insert(at + 1 + random_.below(lines_.size() - at), {{.code = OpCode::kOsHeal}});
    }
  }

  // Most calls make few accesses, some make very many.
  uint64_t some_access() {
    if (random_.one_in(16)) return random_.below(200);
    return random_.below(random_.one_in(2) ? 4 : kLikelyAccesses);
  }

  AccessEvent some_event() {
    AccessEvent event{.access = some_access(), .value = random_.below(kMaxThreads)};
    if (random_.one_in(8))
      event = {.kind = ScheduleKind::kStale, .access = event.access, .value = random_.between(1, 3)};
    if (random_.one_in(8)) event = {.kind = ScheduleKind::kCasFails, .access = event.access};
    return event;
  }

  void add_event() {
    Operation& operation = lines_[line()];
    operation.schedule.push_back(some_event());
    operation.schedule.back().member = random_.below(operation.members());
  }

  // One preemption more or less, earlier or later, or to another thread.
  void change_schedule() {
    std::vector<size_t> scheduled;
    size_t events = 0;
    for (size_t i = 0; i < lines_.size(); i++) {
      if (!lines_[i].schedule.empty()) scheduled.push_back(i);
      events += lines_[i].schedule.size();
    }
    if (scheduled.empty() || (events < kScheduleEvents && random_.one_in(3))) {
      return add_event();
    }
    std::vector<AccessEvent>& chosen = lines_[scheduled[random_.below(scheduled.size())]].schedule;
    AccessEvent& event = chosen[random_.below(chosen.size())];
    switch (random_.below(4)) {
      case 0: chosen.erase(chosen.begin() + (&event - chosen.data())); break;
      case 1: event.access = std::min(event.access + random_.between(1, 3), kByteCaps.accesses); break;
      case 2: event.access -= std::min(event.access, random_.between(1, 3)); break;
      default: event = some_event(); break;
    }
  }

  Program program_;
  Lines& lines_;
  Draw draw_;
  Random& random_;
  bool schedules_;
  bool heaps_;
};

Program fitted(Program program, Draw& draw, size_t max_bytes) {
  settle(program, draw);
  aim_schedule(program);
  encode_beginning(program, max_bytes);
  return program;
}

void shift_slots(std::optional<SlotRange>& range, uint32_t by) {
  if (!range || range->last + by >= kMaxSlots) return;
  range->first += by;
  range->last += by;
}

// `second` beside `first`: on other slots and other threads, in turns.
Lines side_by_side(const Lines& first, const Lines& second, Random& random) {
  const auto shift = static_cast<uint32_t>(random.between(1, kGrownSlots));
  const auto turn = static_cast<uint32_t>(random.below(kMaxThreads));
  Lines both;
  size_t a = 0, b = 0;
  while (a < first.size() || b < second.size()) {
    const bool from_first =
        b == second.size() || (a < first.size() && random.below(first.size() + second.size()) < first.size());
    if (from_first) {
      both.push_back(first[a++]);
      continue;
    }
    Operation& operation = both.emplace_back(second[b++]);
    if (operation.code != OpCode::kEnd) operation.thread = (operation.thread + turn) % kMaxThreads;
    for (AccessEvent& event : operation.schedule) {
      if (event.kind == ScheduleKind::kPreempt) event.value = (event.value + turn) % kMaxThreads;
    }
    shift_slots(operation.result, shift);
    shift_slots(operation.slot, shift);
  }
  return both;
}

}  // namespace

Program mutate(const Program& program, uint64_t seed, size_t max_bytes, const MutateOptions& options) {
  Mutator mutator(program, seed, options);
  for (uint64_t left = 1 + random_at(seed, 0) % 4; left > 0; left--) mutator.change();
  // A change can come to nothing (no block to free, a swap of a line with itself); an engine's run is worth another
  // try.
  for (int tries = 0; tries < 8 && !mutator.changed(program); tries++) mutator.change();
  return mutator.finish(max_bytes);
}

Program crossover(const Program& first, const Program& second, uint64_t seed, size_t max_bytes) {
  Draw draw(seed);
  Random& random = draw.random();
  const Lines& a = first.lines;
  const Lines& b = second.lines;
  Program made;
  made.header = first.header;
  const auto cut = static_cast<ptrdiff_t>(random.below(a.size() + 1));
  auto from = static_cast<ptrdiff_t>(random.below(b.size() + 1));
  auto to = static_cast<ptrdiff_t>(random.below(b.size() + 1));
  if (to < from) std::swap(from, to);
  switch (random.below(3)) {
    case 0:  // the beginning of one, the end of the other
      made.lines.assign(a.begin(), a.begin() + cut);
      made.lines.insert(made.lines.end(), b.begin() + from, b.end());
      break;
    case 1:  // a piece of the other inside
      made.lines = a;
      made.lines.insert(made.lines.begin() + cut, b.begin() + from, b.begin() + to);
      break;
    default: made.lines = side_by_side(a, b, random); break;
  }
  return fitted(std::move(made), draw, max_bytes);
}

}  // namespace assay
