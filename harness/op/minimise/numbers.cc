// The minimiser's pass on numbers.
#include <algorithm>
#include <map>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

// Numbers that a person takes for round, ascending.
constexpr uint64_t kRoundSizes[] = {1,
                                    8,
                                    16,
                                    32,
                                    64,
                                    100,
                                    128,
                                    256,
                                    512,
                                    1000,
                                    1024,
                                    2048,
                                    4096,
                                    8192,
                                    10000,
                                    16384,
                                    32768,
                                    65536,
                                    100000,
                                    131072,
                                    262144,
                                    524288,
                                    1000000,
                                    1 << 20,
                                    4 << 20,
                                    16 << 20,
                                    64 << 20,
                                    1 << 30,
                                    uint64_t{1} << 32,
                                    uint64_t{1} << 40,
                                    uint64_t{1} << 63};
// What is no power of two is wrong in its own ways: 0, odd, even.
constexpr uint64_t kWrongAlignments[] = {0, 3, 24};

// In programs of more lines only numbers that occur several times are made rounder, all at once.
constexpr size_t kEachNumberLines = 64;

bool is_power_of_two(uint64_t number) {
  return number != 0 && (number & (number - 1)) == 0;
}

// Simpler numbers to try for `current`, all below it, ascending.
std::vector<uint64_t> simpler(ArgKind kind, uint64_t current) {
  std::vector<uint64_t> result;
  switch (kind) {
    case ArgKind::kSize:
    case ArgKind::kCount:
    case ArgKind::kOffset:
    case ArgKind::kSmallSize:
    case ArgKind::kLength:
    case ArgKind::kMillis: result.assign(std::begin(kRoundSizes), std::end(kRoundSizes)); break;
    case ArgKind::kAlignment:
      if (!is_power_of_two(current)) result.assign(std::begin(kWrongAlignments), std::end(kWrongAlignments));
      for (uint64_t power = 8; power != 0; power *= 2) result.push_back(power);
      std::ranges::sort(result);
      break;
    case ArgKind::kFlag: result = {1}; break;
    case ArgKind::kArenaSize: result.assign(std::begin(kRoundSizes), std::end(kRoundSizes)); break;
    case ArgKind::kTag:
    case ArgKind::kOptionValue: result = {0, 1}; break;
    case ArgKind::kOption:
    case ArgKind::kHeap:
    case ArgKind::kArena:
    case ArgKind::kNewHeap:
    case ArgKind::kNewArena:
    case ArgKind::kNothing:
    case ArgKind::kSlot: break;
  }
  std::erase_if(result, [current](uint64_t number) { return number >= current; });
  return result;
}

bool is_number(ArgKind kind) {
  return kind != ArgKind::kNothing && kind != ArgKind::kSlot && kind != ArgKind::kOption && !is_name(kind);
}

struct Number {
  ArgKind kind;
  uint64_t value;
  auto operator<=>(const Number&) const = default;
};

// Calls use(kind, value) for each plain number of the program.
template <typename Lines, typename Use>
void for_each_number(Lines& lines, Use use) {
  for (auto& line : lines) {
    const OpInfo& row = info(line.code);
    for (size_t a = 0; a < row.args.size(); a++) {
      if (is_number(row.args[a]) && line.args[a].single()) use(row.args[a], line.args[a]);
    }
  }
}

// Equal numbers stay equal: sizes of one class, an alignment and its size.
void round_together(Candidates& candidates) {
  std::map<Number, int> seen;
  for_each_number(candidates.lines(), [&](ArgKind kind, const Value& value) { seen[{kind, value.low}]++; });
  for (const auto& [number, times] : seen) {
    if (times < 2) continue;
    for (const uint64_t rounder : simpler(number.kind, number.value)) {
      Program candidate = candidates.best();
      for_each_number(candidate.lines, [&](ArgKind kind, Value& value) {
        if (Number{kind, value.low} == number) value = Value::of(rounder);
      });
      if (candidates.accept(std::move(candidate)) || candidates.stopped()) break;
    }
  }
}

bool try_number(Candidates& candidates, size_t i, size_t a, uint64_t number) {
  Program candidate = candidates.best();
  candidate.lines[i].args[a] = Value::of(number);
  return candidates.accept(std::move(candidate));
}

void round_one(Candidates& candidates, size_t i, size_t a, ArgKind kind) {
  const uint64_t current = candidates.lines()[i].args[a].low;
  const std::vector<uint64_t> rounder = simpler(kind, current);
  for (const uint64_t number : rounder) {
    if (try_number(candidates, i, a, number) || candidates.stopped()) return;
  }
  const bool has_order = kind != ArgKind::kAlignment && kind != ArgKind::kFlag && kind != ArgKind::kOptionValue;
  if (!has_order) return;
  // The smallest number above the round one that was too small, by bisection: the boundary is what a reader looks for.
  uint64_t low = rounder.empty() ? 0 : rounder.back(), high = current;
  while (low + 1 < high && !candidates.stopped()) {
    const uint64_t middle = low + (high - low) / 2;
    (try_number(candidates, i, a, middle) ? high : low) = middle;
  }
}

}  // namespace

void round_numbers(Candidates& candidates) {
  candidates.begin_pass("numbers");
  round_together(candidates);
  if (candidates.lines().size() > kEachNumberLines) return;
  for (size_t i = 0; i < candidates.lines().size() && !candidates.stopped(); i++) {
    const OpInfo& row = info(candidates.lines()[i].code);
    for (size_t a = 0; a < row.args.size(); a++) {
      if (is_number(row.args[a]) && candidates.lines()[i].args[a].single()) round_one(candidates, i, a, row.args[a]);
    }
  }
}

}  // namespace assay
