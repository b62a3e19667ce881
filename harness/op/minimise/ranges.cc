// The minimiser's passes on slot ranges.
#include <algorithm>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

// Ranges of at most so many members are written out as single lines, so that each member can be dropped by itself.
constexpr uint64_t kWriteOutMembers = 64;
// A random half can only be cut when it is written out; larger ones stay.
constexpr uint64_t kWriteOutHalf = 1024;

const SlotRange& range_of(const Operation& line) {
  return line.result ? *line.result : *line.slot;
}

// Members [skip, skip + count) of a line's ranges. Needs ranges without half_seed.
Operation cut(const Operation& line, uint64_t skip, uint64_t count) {
  Operation result = line;
  std::erase_if(result.schedule, [&](const AccessEvent& event) { return event.member < skip; });
  for (AccessEvent& event : result.schedule) event.member -= skip;
  for (auto* range : {&result.result, &result.slot}) {
    if (!range->has_value()) continue;
    (*range)->first += static_cast<uint32_t>(skip * (*range)->step);
    (*range)->last = static_cast<uint32_t>((*range)->first + (count - 1) * (*range)->step);
    (*range)->normalise();
  }
  return result;
}

bool try_line(Candidates& candidates, size_t i, const Operation& line) {
  Program candidate = candidates.best();
  candidate.lines[i] = line;
  return candidates.accept(std::move(candidate));
}

// Sizes that each member draws become one size: then the range can be cut anywhere.
void draw_nothing(Candidates& candidates, size_t i) {
  for (size_t a = 0; a < candidates.lines()[i].args.size(); a++) {
    const Value value = candidates.lines()[i].args[a];
    if (value.single()) continue;
    for (const uint64_t number : {value.low, value.high, value.low + (value.high - value.low) / 2}) {
      Operation line = candidates.lines()[i];
      line.args[a] = Value::of(number);
      if (try_line(candidates, i, line)) break;
    }
  }
}

// What a single call draws is one number.
void write_drawn_number(Candidates& candidates, size_t i) {
  Operation line = candidates.lines()[i];
  for (Value& value : line.args) value = Value::of(value.at(0));
  try_line(candidates, i, line);
}

// A random half becomes as many neighbouring slots, or every second one.
void take_no_half(Candidates& candidates, size_t i) {
  const Operation& line = candidates.lines()[i];
  const uint64_t members = line.members();
  for (const uint32_t stretch : {1u, 2u}) {
    Operation plain = candidates.lines()[i];
    for (auto* range : {&plain.result, &plain.slot}) {
      if (!range->has_value()) continue;
      // The other side of the line may be a plain range already, which has as many members.
      if ((*range)->half_seed) (*range)->step *= stretch;
      (*range)->half_seed.reset();
      const uint64_t last = (*range)->first + (members - 1) * uint64_t{(*range)->step};
      if (last >= kMaxTextSlots) return;
      (*range)->last = static_cast<uint32_t>(last);
      (*range)->normalise();
    }
    if (try_line(candidates, i, plain)) return;
  }
}

// The shortest prefix by bisection, whose members draw what they drew; then the shortest rest of that.
void cut_ends(Candidates& candidates, size_t i) {
  const Operation whole = candidates.lines()[i];
  uint64_t low = 0, high = whole.members();
  while (low + 1 < high && !candidates.stopped()) {
    const uint64_t middle = low + (high - low) / 2;
    (try_line(candidates, i, cut(whole, 0, middle)) ? high : low) = middle;
  }
  const Operation prefix = candidates.lines()[i];
  const uint64_t count = prefix.members();
  uint64_t dropped = 0, too_many = count;
  while (dropped + 1 < too_many && !candidates.stopped()) {
    const uint64_t middle = dropped + (too_many - dropped) / 2;
    (try_line(candidates, i, cut(prefix, middle, count - middle)) ? dropped : too_many) = middle;
  }
}

void take_every_second(Candidates& candidates, size_t i) {
  while (!candidates.stopped()) {
    Operation sparse = candidates.lines()[i];
    if (sparse.members() < 2) return;
    for (auto* range : {&sparse.result, &sparse.slot}) {
      if (!range->has_value()) continue;
      (*range)->step *= 2;
      (*range)->normalise();
    }
    if (!try_line(candidates, i, sparse)) return;
  }
}

std::vector<Operation> members_of(const Operation& line) {
  Program one_line;
  one_line.lines.push_back(line);
  std::vector<Operation> singles;
  ProgramSteps steps(one_line);
  for (Step step; steps.next(step);) {
    Operation single = line;
    if (step.result_slot) single.result = single_slot(static_cast<uint32_t>(*step.result_slot));
    if (step.slot) single.slot = single_slot(static_cast<uint32_t>(*step.slot));
    for (size_t a = 0; a < single.args.size(); a++) single.args[a] = Value::of(step.args[a]);
    std::erase_if(single.schedule, [&](const AccessEvent& event) { return event.member != step.member; });
    for (AccessEvent& event : single.schedule) event.member = 0;
    singles.push_back(std::move(single));
  }
  return singles;
}

// Takes the place of line i; `singles` stay the calls that they were.
bool try_lines(Candidates& candidates, size_t i, const std::vector<Operation>& singles) {
  Program candidate = candidates.best();
  const auto place = candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(i));
  candidate.lines.insert(place, singles.begin(), singles.end());
  return candidates.accept(std::move(candidate));
}

void write_out(Candidates& candidates, size_t i) {
  const Operation line = candidates.lines()[i];
  const uint64_t limit = range_of(line).half_seed ? kWriteOutHalf : kWriteOutMembers;
  const uint64_t members = line.members();
  if (members < 2) return;
  const std::vector<Operation> singles = members_of(line);
  // The prefix ended with a member that is needed, often the only one.
  if (try_lines(candidates, i, {singles.back()})) return;
  if (members <= limit) try_lines(candidates, i, singles);
}

bool has_half(const Operation& line) {
  return (line.result && line.result->half_seed) || (line.slot && line.slot->half_seed);
}

}  // namespace

void shrink_ranges(Candidates& candidates) {
  candidates.begin_pass("ranges");
  for (size_t i = 0; i < candidates.lines().size() && !candidates.stopped(); i++) {
    if (candidates.lines()[i].members() < 2) {
      write_drawn_number(candidates, i);
      continue;
    }
    draw_nothing(candidates, i);
    if (has_half(candidates.lines()[i])) take_no_half(candidates, i);
    if (!has_half(candidates.lines()[i])) {
      cut_ends(candidates, i);
      take_every_second(candidates, i);
    }
    write_out(candidates, i);
  }
}

}  // namespace assay
