// The minimiser's passes that change no call but its slots: first so that each line can go by itself, last so that the
// result reads well.
#include <algorithm>
#include <map>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

// Shorter runs of equal lines read well as they are.
constexpr size_t kFoldLines = 3;

using Numbers = std::map<uint32_t, uint32_t>;

// The range with its slots renamed, if they are still evenly spaced; a random half must keep its whole span.
std::optional<SlotRange> renamed(const SlotRange& range, const Numbers& numbers) {
  SlotRange result = range;
  result.first = numbers.at(range.first);
  result.last = numbers.at(range.last);
  if (range.first == range.last) return result;
  if (result.first >= result.last) return std::nullopt;
  const uint64_t gaps = range.span() - 1;
  result.step = static_cast<uint32_t>((result.last - result.first) / gaps);
  for (uint64_t k = 0; k <= gaps; k++) {
    const auto slot = static_cast<uint32_t>(range.first + k * range.step);
    if (numbers.at(slot) != result.first + k * result.step) return std::nullopt;
  }
  return result;
}

// All slots of a range, those that its random half leaves out too.
void collect_span(const std::optional<SlotRange>& range, std::vector<uint32_t>& slots) {
  if (!range) return;
  for (uint64_t slot = range->first; slot <= range->last; slot += range->step) {
    slots.push_back(static_cast<uint32_t>(slot));
  }
}

bool try_numbers(Candidates& candidates, const Numbers& numbers) {
  Program candidate = candidates.best();
  for (Operation& line : candidate.lines) {
    for (auto* range : {&line.slot, &line.result}) {
      if (!range->has_value()) continue;
      const std::optional<SlotRange> other = renamed(**range, numbers);
      if (!other) return false;
      *range = other;
    }
  }
  return candidate == candidates.best() || candidates.accept(std::move(candidate));
}

// The range that goes on from `range` with `next`, when that is one slot and evenly spaced.
std::optional<SlotRange> extended(const SlotRange& range, const SlotRange& next) {
  if (!next.single() || range.half_seed || next.first <= range.last) return std::nullopt;
  const uint32_t step = next.first - range.last;
  if (range.first != range.last && step != range.step) return std::nullopt;
  return SlotRange{.first = range.first, .last = next.first, .step = step};
}

// Appends `line` to the operations of `range_line`, if they differ in nothing but evenly spaced slots.
bool extend(Operation& range_line, const Operation& line) {
  if (!line.result && !line.slot) return false;
  if (range_line.result.has_value() != line.result.has_value() ||
      range_line.slot.has_value() != line.slot.has_value()) {
    return false;
  }
  Operation longer = line;
  if (line.result) longer.result = extended(*range_line.result, *line.result);
  if (line.slot) longer.slot = extended(*range_line.slot, *line.slot);
  if (longer.result.has_value() != line.result.has_value() || longer.slot.has_value() != line.slot.has_value()) {
    return false;
  }
  Operation other = range_line;
  other.result = longer.result;
  other.slot = longer.slot;
  if (other != longer || !std::ranges::all_of(line.args, &Value::single)) return false;
  range_line = std::move(longer);
  return true;
}

// Slots that stand in no range.
std::set<uint32_t> lone_slots(const Program& program) {
  std::set<uint32_t> slots, in_ranges;
  for (const Operation& line : program.lines) {
    for (const auto* range : {&line.result, &line.slot}) {
      if (!range->has_value()) continue;
      std::vector<uint32_t> span;
      collect_span(*range, span);
      (span.size() == 1 ? slots : in_ranges).insert(span.begin(), span.end());
    }
  }
  std::erase_if(slots, [&](uint32_t slot) { return in_ranges.contains(slot); });
  return slots;
}

// True when some slot that stands in no range holds one block after another.
bool slots_are_reused(const Program& program, const std::set<uint32_t>& lone) {
  std::set<uint32_t> filled;
  return std::ranges::any_of(program.lines, [&](const Operation& line) {
    return line.result && lone.contains(line.result->first) && !filled.insert(line.result->first).second;
  });
}

// Gives each block that a program allocates a slot of its own, going by what is live when every call succeeds.
class Separation {
 public:
  explicit Separation(const Program& program) : lone_(lone_slots(program)) {
    for (const Operation& line : program.lines) {
      for (const auto* range : {&line.result, &line.slot}) {
        if (range->has_value()) next_ = std::max(next_, (*range)->last + 1);
      }
    }
  }

  // False for a call that is skipped.
  bool rename(Operation& line) {
    const bool lone_result = line.result && lone_.contains(line.result->first);
    const bool lone_slot = line.slot && lone_.contains(line.slot->first);
    const std::optional<SlotRange> result = line.result, slot = line.slot;
    if (lone_slot) {
      const auto at = names_.find(slot->first);
      if (at == names_.end()) return false;
      line.slot = single_slot(at->second);
    }
    if (lone_result && names_.contains(result->first) && result != slot) return false;
    if (lone_slot && info(line.code).result != ResultKind::kNone) names_.erase(slot->first);
    if (lone_result) {
      names_[result->first] = next_;
      line.result = single_slot(next_++);
    }
    return true;
  }

 private:
  std::set<uint32_t> lone_;
  Numbers names_;
  uint32_t next_ = 0;
};

void rename_after(Program& program, size_t line, uint32_t from, uint32_t to) {
  for (size_t i = line; i < program.lines.size(); i++) {
    for (auto* range : {&program.lines[i].result, &program.lines[i].slot}) {
      if (*range && (*range)->single() && (*range)->first == from) *range = single_slot(to);
    }
  }
}

}  // namespace

void separate_slots(Candidates& candidates) {
  candidates.begin_pass("separate");
  Program candidate = candidates.best();
  // Else the same program with other numbers would be another one for ever.
  if (!slots_are_reused(candidate, lone_slots(candidate))) return;
  Separation separation(candidate);
  std::erase_if(candidate.lines, [&](Operation& line) { return !separation.rename(line); });
  candidates.accept(std::move(candidate));
}

void join_reallocs(Candidates& candidates) {
  candidates.begin_pass("names");
  for (size_t i = 0; i < candidates.lines().size() && !candidates.stopped(); i++) {
    const Operation& line = candidates.lines()[i];
    if (line.code != OpCode::kRealloc || !line.slot || !line.slot->single() || line.slot == line.result) continue;
    Program candidate = candidates.best();
    rename_after(candidate, i, line.result->first, line.slot->first);
    candidates.accept(std::move(candidate));
  }
}

void renumber_slots(Candidates& candidates) {
  candidates.begin_pass("names");
  std::vector<uint32_t> slots;
  for (const Operation& line : candidates.lines()) {
    collect_span(line.slot, slots);
    collect_span(line.result, slots);
  }
  Numbers by_use;
  for (const uint32_t slot : slots) by_use.try_emplace(slot, static_cast<uint32_t>(by_use.size()));
  if (try_numbers(candidates, by_use)) return;
  std::ranges::sort(slots);
  Numbers by_order;
  for (const uint32_t slot : slots) by_order.try_emplace(slot, static_cast<uint32_t>(by_order.size()));
  if (try_numbers(candidates, by_order)) return;
  Numbers moved_down;
  for (const uint32_t slot : slots) moved_down[slot] = slot - slots.front();
  try_numbers(candidates, moved_down);
}

void renumber_names(Candidates& candidates) {
  candidates.begin_pass("names");
  Program candidate = candidates.best();
  std::map<uint64_t, uint64_t> heaps, arenas;
  for (Operation& line : candidate.lines) {
    const OpInfo& row = info(line.code);
    for (size_t i = 0; i < row.args.size(); i++) {
      if (!is_name(row.args[i]) || line.args[i].low == kNoName) continue;
      auto& numbers = names_heap(row.args[i]) ? heaps : arenas;
      line.args[i] = Value::of(numbers.try_emplace(line.args[i].low, numbers.size()).first->second);
    }
  }
  if (candidate != candidates.best()) candidates.accept(std::move(candidate));
}

void fold_lines(Candidates& candidates) {
  candidates.begin_pass("fold");
  const std::vector<Operation> lines = candidates.lines();
  Program candidate = candidates.best();
  candidate.lines.clear();
  for (size_t i = 0; i < lines.size();) {
    Operation range_line = lines[i];
    size_t next = i + 1;
    while (next < lines.size() && extend(range_line, lines[next])) next++;
    if (next - i >= kFoldLines) {
      candidate.lines.push_back(range_line);
      i = next;
    } else {
      candidate.lines.push_back(lines[i++]);
    }
  }
  candidates.accept(std::move(candidate));
}

}  // namespace assay
