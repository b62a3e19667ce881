#include "harness/op/minimise.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

// Ranges of at most this many members are written out as single lines, so that each member can be dropped by itself.
constexpr uint64_t kExplodeMembers = 64;

// Numbers that a person takes for round, ascending: what a size, count or alignment is moved toward.
constexpr uint64_t kRoundNumbers[] = {0,    1,    8,    16,    32,    64,    100,    128,     256,     512,     1000,
                                      1024, 2048, 4096, 8192, 10000, 16384, 32768, 65536, 100000, 131072, 262144, 524288,
                                      1000000, 1048576, 4194304, 16777216, 1u << 30};

uint64_t range_size(const SlotRange& range) { return (range.last - range.first) / std::max(range.step, 1u) + 1; }

// The slots that a line names, with those between the ends of a range.
void collect_slots(const Operation& line, std::set<uint64_t>& slots) {
  for (const auto* range : {&line.result, &line.slot}) {
    if (!range->has_value()) continue;
    for (uint64_t slot = (*range)->first; slot <= (*range)->last; slot += std::max((*range)->step, 1u)) slots.insert(slot);
  }
}

bool shares_slot(const Operation& line, const std::set<uint64_t>& slots) {
  for (const auto* range : {&line.result, &line.slot}) {
    if (!range->has_value()) continue;
    auto it = slots.lower_bound((*range)->first);
    if (it != slots.end() && *it <= (*range)->last) return true;
  }
  return false;
}

class Minimiser {
 public:
  Minimiser(const Program& program, const StillFails& still_fails, const MinimiseOptions& options)
      : best_(program), still_fails_(still_fails), options_(options) {}

  MinimiseResult run() {
    drop_tail();
    closure();
    for (bool again = true; again && !stopped_;) {
      const std::string before = print_text(best_);
      drop_lines();
      shrink_ranges();
      drop_lines();
      fewer_threads();
      simpler_operations();
      rounder_numbers();
      again = print_text(best_) != before;
    }
    renumber_slots();
    return {best_, tries_, stopped_};
  }

 private:
  // Takes the candidate when it is well-formed and still fails.
  bool accept(Program candidate) {
    if (stopped_ || candidate == best_ || validate(candidate)) return false;
    const std::string key = print_text(candidate);
    auto [entry, fresh] = verdicts_.try_emplace(key, false);
    if (fresh) {
      ++tries_;
      entry->second = still_fails_(candidate);
    }
    const bool fails = entry->second;
    if (fails) best_ = std::move(candidate);
    if (fresh && options_.progress && !options_.progress({pass_, best_.operations(), tries_})) stopped_ = true;
    return fails;
  }

  void drop_tail() {
    pass_ = "tail";
    if (options_.guilty_line && *options_.guilty_line + 1 < best_.lines.size()) {
      Program candidate = best_;
      candidate.lines.resize(*options_.guilty_line + 1);
      accept(std::move(candidate));
    }
    // Without a guilty line (the end of the program), or where the violation needs more: the shortest prefix by bisection.
    size_t low = 0, high = best_.lines.size();
    while (low + 1 < high && !stopped_) {
      const size_t middle = (low + high) / 2;
      Program candidate = best_;
      candidate.lines.resize(middle);
      if (accept(std::move(candidate))) high = middle; else low = middle;
    }
  }

  // Keeps what touches the slots of the guilty line and of the victim; first those lines alone, then what is connected
  // to them through further slots.
  void closure() {
    pass_ = "closure";
    if (best_.lines.empty()) return;
    std::set<uint64_t> slots;
    if (options_.victim_slot) slots.insert(*options_.victim_slot);
    const size_t guilty = std::min<size_t>(options_.guilty_line.value_or(best_.lines.size() - 1), best_.lines.size() - 1);
    collect_slots(best_.lines[guilty], slots);
    for (int round = 0; round < 3; ++round) {
      Program candidate = best_;
      std::erase_if(candidate.lines, [&](const Operation& line) {
        return !shares_slot(line, slots) && &line != &candidate.lines[guilty] && (line.result || line.slot);
      });
      if (accept(std::move(candidate))) return;
      std::set<uint64_t> wider = slots;
      for (const Operation& line : best_.lines) {
        if (shares_slot(line, slots)) collect_slots(line, wider);
      }
      if (wider == slots) return;
      slots = std::move(wider);
    }
  }

  // Chunks from half of the program down to one line, from the back: later lines are likelier to be unneeded.
  void drop_lines() {
    pass_ = "lines";
    for (size_t chunk = std::max<size_t>(best_.lines.size() / 2, 1); !stopped_; chunk /= 2) {
      size_t end = best_.lines.size();
      while (end > 0 && !stopped_) {
        const size_t begin = end > chunk ? end - chunk : 0;
        Program candidate = best_;
        candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(begin),
                              candidate.lines.begin() + static_cast<std::ptrdiff_t>(end));
        accept(std::move(candidate));
        end = begin;
      }
      if (chunk == 1) break;
    }
    drop_pairs();
  }

  // Two lines that can only go together: what fills a slot and what frees it, or two frees around a reuse.
  void drop_pairs() {
    pass_ = "pairs";
    if (best_.lines.size() > 40) return;
    for (size_t i = best_.lines.size(); i-- > 1 && !stopped_;) {
      for (size_t j = i; j-- > 0 && !stopped_;) {
        if (i >= best_.lines.size()) break;
        Program candidate = best_;
        candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(i));
        candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(j));
        if (accept(std::move(candidate))) break;
      }
    }
  }

  void shrink_ranges() {
    pass_ = "ranges";
    for (size_t i = 0; i < best_.lines.size() && !stopped_; ++i) {
      if (best_.lines[i].members() <= 1) continue;
      shrink_prefix(i);
      thin(i);
      if (best_.lines[i].members() <= kExplodeMembers) explode(i);
    }
  }

  static void resize_range(std::optional<SlotRange>& range, uint64_t count) {
    if (range) range->last = static_cast<uint32_t>(range->first + (count - 1) * std::max(range->step, 1u));
  }

  // The shortest prefix of a range by bisection; the members that stay draw the same values.
  void shrink_prefix(size_t i) {
    const auto count_of = [&] {
      const Operation& line = best_.lines[i];
      return range_size(line.result ? *line.result : *line.slot);
    };
    uint64_t low = 0, high = count_of();
    while (low + 1 < high && !stopped_) {
      const uint64_t middle = low + (high - low) / 2;
      Program candidate = best_;
      resize_range(candidate.lines[i].result, middle);
      resize_range(candidate.lines[i].slot, middle);
      if (accept(std::move(candidate))) high = middle; else low = middle;
    }
  }

  // A range whose head is not needed: every second member, or the upper half.
  void thin(size_t i) {
    for (bool again = true; again && !stopped_;) {
      again = false;
      const Operation& line = best_.lines[i];
      const uint64_t count = range_size(line.result ? *line.result : *line.slot);
      if (count < 2) return;
      Program upper = best_;
      for (auto* range : {&upper.lines[i].result, &upper.lines[i].slot}) {
        if (*range) (*range)->first += static_cast<uint32_t>(count / 2 * std::max((*range)->step, 1u));
      }
      again = accept(std::move(upper));
      if (again) continue;
      Program sparse = best_;
      for (auto* range : {&sparse.lines[i].result, &sparse.lines[i].slot}) {
        if (!*range) continue;
        (*range)->step = std::max((*range)->step, 1u) * 2;
        resize_range(*range, (count + 1) / 2);
      }
      again = accept(std::move(sparse));
    }
  }

  // One line for each member, with the values that it drew.
  void explode(size_t i) {
    Program one_line;
    one_line.lines.push_back(best_.lines[i]);
    Program candidate = best_;
    candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(i));
    ProgramSteps steps(one_line);
    std::vector<Operation> singles;
    for (Step step; steps.next(step);) {
      Operation single = best_.lines[i];
      if (step.result_slot) single.result = SlotRange{static_cast<uint32_t>(*step.result_slot), static_cast<uint32_t>(*step.result_slot), 1, {}};
      if (step.slot) single.slot = SlotRange{static_cast<uint32_t>(*step.slot), static_cast<uint32_t>(*step.slot), 1, {}};
      for (size_t a = 0; a < single.args.size(); ++a) single.args[a] = Value{step.args[a], step.args[a], 0};
      singles.push_back(std::move(single));
    }
    candidate.lines.insert(candidate.lines.begin() + static_cast<std::ptrdiff_t>(i), singles.begin(), singles.end());
    accept(std::move(candidate));
  }

  void fewer_threads() {
    pass_ = "threads";
    std::set<uint32_t> threads;
    for (const Operation& line : best_.lines) threads.insert(line.thread);
    if (threads.size() == 1 && *threads.begin() == 0) return;
    Program all_main = best_;
    for (Operation& line : all_main.lines) line.thread = 0;
    if (accept(std::move(all_main))) return;
    // Each thread into each lower one, then line by line into the main thread.
    for (auto from = threads.rbegin(); from != threads.rend(); ++from) {
      for (uint32_t to : threads) {
        if (to >= *from) break;
        Program merged = best_;
        for (Operation& line : merged.lines) {
          if (line.thread == *from) line.thread = to;
        }
        if (accept(std::move(merged))) break;
      }
    }
    for (size_t i = 0; i < best_.lines.size() && !stopped_; ++i) {
      if (best_.lines[i].thread == 0) continue;
      Program candidate = best_;
      candidate.lines[i].thread = 0;
      accept(std::move(candidate));
    }
    // Consecutive numbers, in the order of first use.
    std::map<uint32_t, uint32_t> renamed{{0, 0}};
    Program candidate = best_;
    for (Operation& line : candidate.lines) {
      line.thread = renamed.try_emplace(line.thread, static_cast<uint32_t>(renamed.size())).first->second;
    }
    accept(std::move(candidate));
  }

  // The operation that says the same with less: calloc to malloc, posix_memalign to aligned_alloc, and so on.
  void simpler_operations() {
    pass_ = "operations";
    for (size_t i = 0; i < best_.lines.size() && !stopped_; ++i) {
      const Operation line = best_.lines[i];
      const auto try_as = [&](OpCode code, Value first, Value second) {
        Program candidate = best_;
        Operation& target = candidate.lines[i];
        target.code = code;
        target.args = {first, second, Value{}};
        if (code == OpCode::kMalloc) target.slot.reset();
        return accept(std::move(candidate));
      };
      if (line.code == OpCode::kCalloc && line.args[0].single() && line.args[1].single()) {
        uint64_t product = 0;
        if (!__builtin_mul_overflow(line.args[0].low, line.args[1].low, &product)) {
          if (!try_as(OpCode::kMalloc, Value{product, product, 0}, Value{}) && product != line.args[1].low) {
            Program candidate = best_;
            candidate.lines[i].args[0] = Value{1, 1, 0};
            candidate.lines[i].args[1] = Value{product, product, 0};
            accept(std::move(candidate));
          }
        }
      } else if (line.code == OpCode::kAlignedAlloc || line.code == OpCode::kPosixMemalign) {
        if (!try_as(OpCode::kMalloc, line.args[1], Value{}) && line.code == OpCode::kPosixMemalign) {
          try_as(OpCode::kAlignedAlloc, line.args[0], line.args[1]);
        }
      } else if (line.code == OpCode::kRealloc && !line.slot) {
        try_as(OpCode::kMalloc, line.args[1], Value{});
      }
    }
  }

  void rounder_numbers() {
    pass_ = "numbers";
    for (size_t i = 0; i < best_.lines.size() && !stopped_; ++i) {
      const OpInfo& op = info(best_.lines[i].code);
      for (size_t a = 0; a < op.args.size(); ++a) {
        if (op.args[a] == ArgKind::kNothing || op.args[a] == ArgKind::kSlot) continue;
        simplify_value(i, a, op.args[a]);
      }
    }
  }

  bool try_value(size_t i, size_t a, uint64_t number) {
    Program candidate = best_;
    candidate.lines[i].args[a] = Value{number, number, 0};
    return accept(std::move(candidate));
  }

  void simplify_value(size_t i, size_t a, ArgKind kind) {
    if (!best_.lines[i].args[a].single()) {
      if (!try_value(i, a, best_.lines[i].args[a].low)) try_value(i, a, best_.lines[i].args[a].high);
    }
    if (!best_.lines[i].args[a].single()) return;
    const uint64_t current = best_.lines[i].args[a].low;
    for (uint64_t number : kRoundNumbers) {
      if (number >= current) break;
      if (kind == ArgKind::kAlignment && (number == 0 || (number & (number - 1)) != 0)) continue;
      if (try_value(i, a, number)) return;
    }
    if (kind != ArgKind::kSize && kind != ArgKind::kCount && kind != ArgKind::kMillis) return;
    // No round number does: the smallest one between the largest round number below and the current one, by bisection
    // (the boundary itself is what a reader wants to see).
    uint64_t low = 0;
    for (uint64_t number : kRoundNumbers) {
      if (number < current) low = number;
    }
    uint64_t high = current;
    for (int steps = 0; low + 1 < high && steps < 64 && !stopped_; ++steps) {
      const uint64_t middle = low + (high - low) / 2;
      if (try_value(i, a, middle)) high = middle; else low = middle;
    }
  }

  // p0, p1, … in the order of first use; ranges keep their shape by moving whole.
  void renumber_slots() {
    pass_ = "slots";
    Program candidate = best_;
    std::unordered_map<uint32_t, uint32_t> renamed;
    for (const Operation& line : candidate.lines) {
      for (const auto* range : {&line.result, &line.slot}) {
        // The taken slot comes first in `p4 = realloc(p2, …)`, but text order of first use is the order of the fills.
        if (range->has_value() && !(*range)->single()) return renumber_by_offset();
      }
    }
    for (Operation& line : candidate.lines) {
      for (auto* range : {&line.slot, &line.result}) {
        if (!range->has_value()) continue;
        const uint32_t to = renamed.try_emplace((*range)->first, static_cast<uint32_t>(renamed.size())).first->second;
        (*range)->first = (*range)->last = to;
      }
    }
    if (accept(std::move(candidate))) return;
    renumber_by_offset();
  }

  // With ranges left: everything moves down by the lowest slot in use.
  void renumber_by_offset() {
    uint32_t lowest = ~0u;
    for (const Operation& line : best_.lines) {
      for (const auto* range : {&line.result, &line.slot}) {
        if (range->has_value()) lowest = std::min(lowest, (*range)->first);
      }
    }
    if (lowest == 0 || lowest == ~0u) return;
    Program candidate = best_;
    for (Operation& line : candidate.lines) {
      for (auto* range : {&line.result, &line.slot}) {
        if (!range->has_value()) continue;
        (*range)->first -= lowest;
        (*range)->last -= lowest;
      }
    }
    accept(std::move(candidate));
  }

  Program best_;
  const StillFails& still_fails_;
  const MinimiseOptions& options_;
  std::unordered_map<std::string, bool> verdicts_;
  const char* pass_ = "";
  uint64_t tries_ = 0;
  bool stopped_ = false;
};

}  // namespace

MinimiseResult minimise(const Program& program, const StillFails& still_fails, const MinimiseOptions& options) {
  return Minimiser(program, still_fails, options).run();
}

}  // namespace assay
