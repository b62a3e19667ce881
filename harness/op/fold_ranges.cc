#include "harness/op/fold_ranges.h"

namespace assay {
namespace {

constexpr size_t kShortestRun = 3;

bool is_single(const std::optional<SlotRange>& range) {
  return !range || range->single();
}

// How far `next` lies behind `line`, 0 when both have no slot or stay; nothing when it is not a step forward.
std::optional<uint32_t> step_between(const std::optional<SlotRange>& line, const std::optional<SlotRange>& next) {
  if (line.has_value() != next.has_value()) return std::nullopt;
  if (!line) return 0;
  if (next->first <= line->first) return std::nullopt;
  return next->first - line->first;
}

struct Steps {
  uint32_t result, slot;
  bool operator==(const Steps&) const = default;
};

// The steps from one line to the next where both could be members of a range.
std::optional<Steps> steps_between(const Operation& line, const Operation& next) {
  if (line.code != next.code || line.thread != next.thread || line.args != next.args) return std::nullopt;
  if (!line.result && !line.slot) return std::nullopt;
  for (const Operation* operation : {&line, &next}) {
    if (!is_single(operation->result) || !is_single(operation->slot)) return std::nullopt;
  }
  const auto result = step_between(line.result, next.result);
  const auto slot = step_between(line.slot, next.slot);
  if (!result || !slot) return std::nullopt;
  return Steps{*result, *slot};
}

void extend(std::optional<SlotRange>& range, const std::optional<SlotRange>& last, uint32_t step) {
  if (!range) return;
  range->last = last->first;
  range->step = step;
}

}  // namespace

void fold_ranges(Program& program) {
  std::vector<Operation>& lines = program.lines;
  std::vector<Operation> folded;
  for (size_t first = 0; first < lines.size();) {
    size_t end = first + 1;
    std::optional<Steps> steps;
    if (end < lines.size()) steps = steps_between(lines[first], lines[end]);
    if (steps) {
      while (end < lines.size() && steps_between(lines[end - 1], lines[end]) == steps) ++end;
    }
    Operation line = lines[first];
    if (end - first >= kShortestRun) {
      extend(line.result, lines[end - 1].result, steps->result);
      extend(line.slot, lines[end - 1].slot, steps->slot);
    } else {
      end = first + 1;
    }
    folded.push_back(std::move(line));
    first = end;
  }
  lines = std::move(folded);
}

}  // namespace assay
