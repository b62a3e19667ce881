// The minimiser's passes that drop whole lines.
#include <algorithm>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

// A chunk size is given up after so many tries in vain: a program that needs its volume would cost as many tries as it
// has lines, and the next smaller size, the ranges and the fold get more out of it.
constexpr int kVainTries = 200;

// Pairs of lines without a common slot are tried in programs of at most so many lines.
constexpr size_t kAllPairsLines = 12;
constexpr size_t kPairsLines = 80;

constexpr uint64_t kNoLine = ~uint64_t{0};

bool names_any(const Operation& line, const std::set<uint32_t>& slots) {
  for (const auto* range : {&line.result, &line.slot}) {
    if (!range->has_value()) continue;
    const auto first = slots.lower_bound((*range)->first);
    if (first != slots.end() && *first <= (*range)->last) return true;
  }
  if (slots.empty() || *slots.rbegin() < kMaxTextSlots) return false;
  std::set<uint32_t> named;
  collect_slots(line, named);
  return std::any_of(named.lower_bound(kMaxTextSlots), named.end(),
                     [&](uint32_t name) { return slots.contains(name); });
}

Program without(const Program& program, size_t begin, size_t end) {
  Program result = program;
  result.lines.erase(result.lines.begin() + static_cast<std::ptrdiff_t>(begin),
                     result.lines.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

// Tries chunks of the items [0, count()) from half of them down to single ones, from the back; drop(begin, end) says
// whether the program does without them, and then their number has changed.
template <typename Count, typename Drop>
void drop_chunks(const Candidates& candidates, Count count, Drop drop) {
  for (size_t chunk = std::max<size_t>(count() / 2, 1);; chunk /= 2) {
    int vain = 0;
    for (size_t end = count(); end > 0 && vain < kVainTries && !candidates.stopped();) {
      const size_t begin = end > chunk ? end - chunk : 0;
      vain = drop(begin, end) ? 0 : vain + 1;
      end = std::min(begin, count());
    }
    if (chunk == 1 || candidates.stopped()) return;
  }
}

std::vector<uint32_t> slots_of(const Program& program) {
  std::set<uint32_t> slots;
  for (const Operation& line : program.lines) collect_slots(line, slots);
  return {slots.begin(), slots.end()};
}

bool pair_up(const Operation& a, const Operation& b) {
  std::set<uint32_t> slots;
  collect_slots(a, slots);
  return names_any(b, slots);
}

}  // namespace

void drop_tail(Candidates& candidates, const MinimiseOptions& options) {
  candidates.begin_pass("tail");
  if (options.guilty_line && *options.guilty_line < candidates.lines().size()) {
    Program candidate = candidates.best();
    candidate.lines.resize(*options.guilty_line + 1);
    candidates.accept(std::move(candidate));
  }
  size_t low = 0, high = candidates.lines().size();
  while (low + 1 < high && !candidates.stopped()) {
    const size_t middle = low + (high - low) / 2;
    Program candidate = candidates.best();
    candidate.lines.resize(middle);
    (candidates.accept(std::move(candidate)) ? high : low) = middle;
  }
}

void drop_unconnected(Candidates& candidates, const MinimiseOptions& options) {
  candidates.begin_pass("closure");
  const uint64_t guilty = options.guilty_line.value_or(kNoLine);
  std::set<uint32_t> slots;
  if (options.victim_slot && *options.victim_slot < kMaxTextSlots) {
    slots.insert(static_cast<uint32_t>(*options.victim_slot));
  }
  // The tail may have needed more than the guilty line, or less; then the line is not where it was.
  const size_t last = candidates.lines().size();
  if (guilty < last) collect_slots(candidates.lines()[guilty], slots);
  while (!slots.empty() && !candidates.stopped()) {
    Program candidate = candidates.best();
    candidate.lines.clear();
    std::set<uint32_t> wider = slots;
    for (size_t i = 0; i < last; i++) {
      const Operation& line = candidates.lines()[i];
      if (i != guilty && !names_any(line, slots)) continue;
      collect_slots(line, wider);
      candidate.lines.push_back(line);
    }
    if (candidates.accept(std::move(candidate)) || wider == slots) return;
    slots = std::move(wider);
  }
}

void drop_slots(Candidates& candidates) {
  candidates.begin_pass("slots");
  std::vector<uint32_t> slots = slots_of(candidates.best());
  drop_chunks(
      candidates, [&] { return slots.size(); },
      [&](size_t begin, size_t end) {
        const std::set<uint32_t> dropped(slots.begin() + static_cast<std::ptrdiff_t>(begin),
                                         slots.begin() + static_cast<std::ptrdiff_t>(end));
        Program candidate = candidates.best();
        std::erase_if(candidate.lines, [&](const Operation& line) { return names_any(line, dropped); });
        if (!candidates.accept(std::move(candidate))) return false;
        slots = slots_of(candidates.best());
        return true;
      });
}

void drop_lines(Candidates& candidates) {
  candidates.begin_pass("lines");
  drop_chunks(
      candidates, [&] { return candidates.lines().size(); },
      [&](size_t begin, size_t end) { return candidates.accept(without(candidates.best(), begin, end)); });
}

void drop_pairs(Candidates& candidates) {
  candidates.begin_pass("pairs");
  if (candidates.lines().size() > kPairsLines) return;
  for (size_t later = candidates.lines().size(); later-- > 1 && !candidates.stopped();) {
    for (size_t earlier = later; earlier-- > 0;) {
      // A pair that went may have left fewer lines than `later`.
      if (later >= candidates.lines().size()) break;
      const Operation& first = candidates.lines()[earlier];
      if (candidates.lines().size() > kAllPairsLines && !pair_up(first, candidates.lines()[later])) continue;
      Program candidate = without(candidates.best(), later, later + 1);
      candidates.accept(without(candidate, earlier, earlier + 1));
    }
  }
}

}  // namespace assay
