#include "harness/op/draw.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "harness/op/byte_reader.h"
#include "harness/op/number_bytes.h"

namespace assay {
namespace {

// Slots are drawn from the first ones, as in the byte form, where higher ones take more bytes.
constexpr uint32_t kDrawnSlots = 232;
constexpr uint64_t kLongestRange = 64;
constexpr uint32_t kForksPerFork = 8;  // a program that may fork does so more often than the weight says
constexpr uint32_t kFailsOneIn = 6;    // operations of a program in which calls fail
// How often one of all heaps is named and not one of the usual ones: in a program that has many, and in others.
constexpr uint64_t kWideOneIn = 2;
constexpr uint64_t kFirstWideOneIn = 256;

bool permitted(const OpInfo& row, const LiveSlots& live, Features features) {
  if (row.code == OpCode::kFork) return features.fork;
  if (row.precondition == Precondition::kNotMainThread) return features.threads;
  if (row.code == OpCode::kOsHeal) return features.failures;
  if (row.is_about_heaps() && !features.heaps) return false;
  if (row.args[0] == ArgKind::kHeap && !live.names().next_live(ArgKind::kHeap, 0)) return false;
  const bool in_arena = row.code == OpCode::kHeapNewInArena || row.code == OpCode::kArenaArea;
  if (in_arena && !live.names().next_live(ArgKind::kArena, 0)) return false;
  return !live.none() || !row.slot_arg() || row.result == ResultKind::kMoves;
}

uint64_t weight_of(const OpInfo& row) {
  return uint64_t{row.weight} * (row.code == OpCode::kFork ? kForksPerFork : 1);
}

// Whether at least half of the slots that take part are live (or empty).
bool suits(const SlotRange& range, const LiveSlots& live, bool taken) {
  uint64_t suitable = 0;
  for (SlotCursor slots(range); !slots.done();) suitable += live.is_live(slots.next()) == taken;
  return suitable > 0 && suitable * 2 >= range.members();
}

// Moves a range that misses to where its slots suit, shortened where too few of them do.
void aim(SlotRange& range, const LiveSlots& live, bool taken) {
  if (suits(range, live, taken)) return;
  const std::optional<uint32_t> first = taken ? live.next_live(range.first) : live.next_empty(range.first);
  if (!first) return;
  const uint32_t run = live.run(*first, static_cast<uint32_t>(range.span()), taken);
  range = {.first = *first, .last = *first + run - 1, .step = 1, .half_seed = range.half_seed};
  range.normalise();
}

}  // namespace

void aim_names(Operation& operation, const LiveNames& live) {
  const OpInfo& row = info(operation.code);
  for (size_t i = 0; i < row.args.size(); i++) {
    const ArgKind kind = row.args[i];
    Value& value = operation.args[i];
    if (!is_name(kind) || value.low == kNoName) continue;
    const auto number = static_cast<uint32_t>(value.low);
    std::optional<uint32_t> found;
    if (is_made(kind)) {
      const bool wide = kind == ArgKind::kNewHeap && number >= kUsualHeaps;
      const uint32_t limit = kind == ArgKind::kNewArena ? kMaxArenas : wide ? kMaxHeaps : kUsualHeaps;
      found = live.next_empty(kind, number, limit);
    } else if (kind == ArgKind::kHeap) {
      const bool ends = operation.code == OpCode::kHeapDelete || operation.code == OpCode::kHeapDestroy;
      found = ends ? live.next_live(kind, number) : live.next_owned(number);
      if (found) operation.thread = live.owner(*found).value_or(operation.thread);
    } else {
      found = live.next_live(kind, number);
    }
    if (found) value = Value::of(*found);
  }
}

bool has_many_heaps(const std::vector<Operation>& lines) {
  return std::ranges::any_of(lines, [](const Operation& line) {
    return info(line.code).args[0] == ArgKind::kNewHeap && line.args[0].low >= kUsualHeaps;
  });
}

OpCode Draw::code(const LiveSlots& live, Features features) {
  uint64_t sum = 0;
  for (const OpInfo& row : all_ops()) {
    if (permitted(row, live, features)) sum += weight_of(row);
  }
  uint64_t ticket = random_.below(sum);
  for (const OpInfo& row : all_ops()) {
    if (!permitted(row, live, features)) continue;
    if (ticket < weight_of(row)) return row.code;
    ticket -= weight_of(row);
  }
  return OpCode::kMalloc;
}

uint32_t Draw::thread(Features features) {
  return features.threads ? static_cast<uint32_t>(random_.below(kMaxThreads)) : 0;
}

std::optional<uint32_t> Draw::live_slot(const LiveSlots& live) {
  // The newest block is taken more often: pairs of malloc and free are the fast path of every allocator.
  if (random_.one_in(4) && live.newest()) return live.newest();
  return live.next_live(static_cast<uint32_t>(random_.below(kDrawnSlots)));
}

std::optional<uint32_t> Draw::empty_slot(const LiveSlots& live) {
  return live.next_empty(static_cast<uint32_t>(random_.below(kDrawnSlots)));
}

std::optional<SlotRange> Draw::slots(const LiveSlots& live, bool taken, uint64_t members) {
  const std::optional<uint32_t> first = taken ? live_slot(live) : empty_slot(live);
  if (!first) return std::nullopt;
  SlotRange range{.first = *first, .last = *first};
  if (members < 2 || !random_.one_in(16)) return range;
  const uint64_t longest = std::min(members, kLongestRange);
  range.last += live.run(*first, static_cast<uint32_t>(random_.between(2, longest)), taken) - 1;
  if (random_.one_in(4)) range.step = static_cast<uint32_t>(random_.between(2, 4));
  if (random_.one_in(4)) range.half_seed = random_.below(256);
  range.normalise();
  return range;
}

Value Draw::number(ArgKind kind) {
  // Bytes of noise, but for the first ones that stand for a literal or an interval of 64 random bits.
  std::array<uint8_t, 8> noise{};
  const uint64_t bits = random_.bits();
  for (size_t i = 0; i < noise.size(); i++) noise[i] = static_cast<uint8_t>(bits >> (8 * i));
  noise[0] = static_cast<uint8_t>(below(bits * kSplitMixStep, 248));
  ByteReader reader(noise);
  return read_value(reader, kind);
}

uint64_t Draw::name(ArgKind kind) {
  if (!is_made(kind) && random_.one_in(kind == ArgKind::kArena ? 4 : 64)) return kNoName;
  if (names_arena(kind)) return random_.below(kMaxArenas);
  return random_.below(random_.one_in(wide_ ? kWideOneIn : kFirstWideOneIn) ? kMaxHeaps : kUsualHeaps);
}

void Draw::numbers(const OpInfo& row, Operation& operation) {
  for (size_t i = 0; i < row.arg_count(); i++) {
    if (row.args[i] == ArgKind::kSlot) continue;
    if (is_name(row.args[i])) {
      operation.args[i] = Value::of(name(row.args[i]));
      continue;
    }
    operation.args[i] = number(row.args[i]);
    if (row.args[i] == ArgKind::kSize && operation.members() > 1) {
      // Many blocks: no huge ones, and half of the time of different sizes.
      const uint64_t low = operation.args[i].low % 8192;
      const uint64_t high = low + random_.below(uint64_t{1} << random_.between(1, 12));
      operation.args[i] = random_.one_in(2) && high > low ? Value{low, high, random_.below(256)} : Value::of(low);
    }
  }
}

Operation Draw::operation(const LiveSlots& live, Features features, uint64_t members) {
  return operation_of(info(code(live, features)), live, features, members);
}

Operation Draw::operation_of(const OpInfo& row, const LiveSlots& live, Features features, uint64_t members) {
  Operation operation{.code = row.code, .thread = thread(features)};
  if (row.precondition == Precondition::kNotMainThread) {
    operation.thread = static_cast<uint32_t>(random_.between(1, kMaxThreads - 1));
  }
  if (row.slot_arg() && !random_.one_in(64)) operation.slot = slots(live, true, members);
  if (row.result == ResultKind::kMoves && operation.slot) {
    operation.result = operation.slot;
    if (operation.slot->single() && random_.one_in(4)) {
      if (const auto other = empty_slot(live)) operation.result = SlotRange{.first = *other, .last = *other};
    }
  } else if (row.result == ResultKind::kFills || row.result == ResultKind::kMoves) {
    operation.result = slots(live, false, members).value_or(SlotRange{});
  }
  numbers(row, operation);
  if (!random_.one_in(32)) aim_names(operation, live.names());
  if (features.failures && random_.one_in(kFailsOneIn)) operation.fails = failures();
  return operation;
}

std::vector<Failure> Draw::failures() {
  constexpr std::array<SystemCall, 9> kCalls = {SystemCall::kMmap,     SystemCall::kMmap,     SystemCall::kMmap,
                                                SystemCall::kMprotect, SystemCall::kMprotect, SystemCall::kMadvise,
                                                SystemCall::kMadvise,  SystemCall::kMunmap,   SystemCall::kKeyCreate};
  constexpr std::array<uint16_t, 4> kErrors = {ENOMEM, EAGAIN, EPERM, EINVAL};
  Failure failure{.call = kCalls[random_.below(kCalls.size())]};
  failure.nth = static_cast<uint16_t>(random_.one_in(2) ? 1 : random_.between(1, 6));
  failure.persistent = random_.one_in(3);
  if (random_.one_in(4)) failure.error = kErrors[random_.below(kErrors.size())];
  if (random_.one_in(6)) {
    Failure special = failure;
    special.kind = failure.call == SystemCall::kMadvise ? FailureKind::kDirty
                   : random_.one_in(2)                  ? FailureKind::kUnaligned
                                                        : FailureKind::kHigh;
    special.error = 0;
    if (failure_fault(special).empty()) failure = special;
  }
  return {failure};
}

const OpInfo& Draw::row_with(ResultKind result) {
  const auto suits = [&](const OpInfo& row) { return row.result == result && (heaps_ || !row.is_about_heaps()); };
  uint64_t sum = 0;
  for (const OpInfo& row : all_ops()) sum += suits(row) ? row.weight : 0;
  uint64_t ticket = random_.below(sum);
  for (const OpInfo& row : all_ops()) {
    if (!suits(row)) continue;
    if (ticket < row.weight) return row;
    ticket -= row.weight;
  }
  return info(OpCode::kMalloc);
}

Operation Draw::allocation(uint32_t slot, uint32_t thread) {
  const OpInfo& row = row_with(ResultKind::kFills);
  Operation operation{.code = row.code, .thread = thread, .result = SlotRange{.first = slot, .last = slot}};
  numbers(row, operation);
  return operation;
}

uint64_t Draw::near(uint64_t number, ArgKind kind) {
  if (kind == ArgKind::kFlag) return number ^ 1;
  if (is_name(kind)) return name(kind);
  if (kind == ArgKind::kOption) return this->number(kind).low;
  switch (random_.below(kind == ArgKind::kSize ? 9 : 5)) {
    case 0: return number + 1;
    case 1: return number - 1;
    case 2: return number / 2;
    case 3: return number > std::numeric_limits<uint64_t>::max() / 2 ? number : number * 2;
    case 4: return this->number(kind).at(0);
    case 5: return number + 8 * random_.between(1, 8);
    case 6: return number - std::min(number, 8 * random_.between(1, 8));
    case 7: return std::bit_floor(number | 1) * 2 - random_.below(3);
    default: break;
  }
  // The border of the size class that the number lies in, or the next one, and the bytes on either side of it.
  uint32_t index = 0;
  while (index + 1 < kSizeClasses && size_class(index) < number) index++;
  return size_class(index) + random_.below(3) - 1;
}

void settle(Program& program, Draw& draw) {
  LiveSlots live;
  uint64_t operations = 0;
  // What was put behind the end, or has an end before it.
  const auto is_end = [](const Operation& line) { return line.code == OpCode::kEnd; };
  if (!program.lines.empty()) {
    program.lines.erase(std::remove_if(program.lines.begin(), program.lines.end() - 1, is_end),
                        program.lines.end() - 1);
  }
  for (size_t i = 0; i < program.lines.size(); i++) {
    Operation& operation = program.lines[i];
    const OpInfo& row = info(operation.code);
    if (!draw.random().one_in(32)) {
      aim_names(operation, live.names());
      const bool stays = operation.result == operation.slot;
      if (operation.slot && live.none()) {
        const uint32_t thread = operation.thread;
        operation = draw.allocation(draw.empty_slot(live).value_or(0), thread);
      } else if (operation.slot) {
        aim(*operation.slot, live, true);
        const bool fits = operation.result && operation.result->members() == operation.slot->members();
        if (row.result == ResultKind::kMoves && (stays || !fits || !suits(*operation.result, live, false))) {
          operation.result = operation.slot;
        }
      } else if (operation.result) {
        aim(*operation.result, live, false);
      }
    }
    operations += operation.members();
    if (operations > kMaxOperations) {
      program.lines.resize(i);
      return;
    }
    live.apply(operation);
  }
}

}  // namespace assay
