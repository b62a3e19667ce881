// The minimiser's passes on who calls what.
#include <algorithm>
#include <map>

#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

std::set<uint32_t> threads_of(const Program& program) {
  std::set<uint32_t> threads;
  for (const Operation& line : program.lines) threads.insert(line.thread);
  return threads;
}

// Renames the threads that preempt in a line.
template <typename Rename>
void rename_preempting(Operation& line, Rename rename) {
  for (AccessEvent& event : line.schedule) {
    if (event.kind == ScheduleKind::kPreempt) event.value = rename(static_cast<uint32_t>(event.value));
  }
}

// All that `from` did is done by `to`; t0 cannot exit.
Program merged(const Program& program, uint32_t from, uint32_t to) {
  Program result = program;
  for (Operation& line : result.lines) {
    if (line.thread == from) line.thread = to;
    rename_preempting(line, [&](uint32_t thread) { return thread == from ? to : thread; });
  }
  if (to == 0) {
    std::erase_if(result.lines,
                  [](const Operation& line) { return line.code == OpCode::kThreadExit && line.thread == 0; });
  }
  return result;
}

void move_lines_to_main(Candidates& candidates) {
  for (size_t i = 0; i < candidates.lines().size() && !candidates.stopped(); i++) {
    if (candidates.lines()[i].thread == 0 || candidates.lines()[i].code == OpCode::kThreadExit) continue;
    Program candidate = candidates.best();
    candidate.lines[i].thread = 0;
    candidates.accept(std::move(candidate));
  }
}

void number_threads(Candidates& candidates) {
  Program candidate = candidates.best();
  std::map<uint32_t, uint32_t> numbers{{0, 0}};
  for (Operation& line : candidate.lines) {
    line.thread = numbers.try_emplace(line.thread, static_cast<uint32_t>(numbers.size())).first->second;
  }
  for (Operation& line : candidate.lines) {
    rename_preempting(line, [&](uint32_t thread) { return numbers.at(thread); });
  }
  candidates.accept(std::move(candidate));
}

bool try_call(Candidates& candidates, size_t i, OpCode code, std::optional<SlotRange> slot, Value first,
              Value second = {}) {
  Program candidate = candidates.best();
  Operation& line = candidate.lines[i];
  line.code = code;
  line.slot = slot;
  line.args = {first, second, Value{}};
  return candidates.accept(std::move(candidate));
}

void simplify_calloc(Candidates& candidates, size_t i) {
  const Operation line = candidates.lines()[i];
  uint64_t bytes = 0;
  if (!line.args[0].single() || !line.args[1].single()) return;
  if (__builtin_mul_overflow(line.args[0].low, line.args[1].low, &bytes)) return;
  if (try_call(candidates, i, OpCode::kMalloc, std::nullopt, Value::of(bytes))) return;
  if (line.args[0].low > 1) try_call(candidates, i, OpCode::kCalloc, std::nullopt, Value::of(1), Value::of(bytes));
}

// `p1 = realloc(p0, n)` where only the new block matters: malloc, with the old block as it is, or never allocated.
void simplify_realloc(Candidates& candidates, size_t i) {
  const Operation line = candidates.lines()[i];
  if (line.slot != line.result && try_call(candidates, i, OpCode::kMalloc, std::nullopt, line.args[1])) return;
  for (size_t fill = i; line.slot && fill-- > 0;) {
    if (candidates.lines()[fill].result != line.slot) continue;
    Program candidate = candidates.best();
    candidate.lines[i].code = OpCode::kMalloc;
    candidate.lines[i].slot.reset();
    candidate.lines[i].args = {line.args[1], Value{}, Value{}};
    candidate.lines.erase(candidate.lines.begin() + static_cast<std::ptrdiff_t>(fill));
    candidates.accept(std::move(candidate));
    return;
  }
}

}  // namespace

void merge_threads(Candidates& candidates) {
  candidates.begin_pass("threads");
  Program all_main = candidates.best();
  for (const uint32_t thread : threads_of(all_main)) all_main = merged(all_main, thread, 0);
  if (threads_of(candidates.best()) == std::set<uint32_t>{0} || candidates.accept(std::move(all_main))) return;
  const std::set<uint32_t> threads = threads_of(candidates.best());
  for (auto from = threads.rbegin(); from != threads.rend(); ++from) {
    for (uint32_t to = 0; to < *from; to++) {
      if (to != 0 && !threads.contains(to)) continue;
      if (candidates.accept(merged(candidates.best(), *from, to))) break;
    }
  }
  move_lines_to_main(candidates);
  number_threads(candidates);
}

void simplify_operations(Candidates& candidates) {
  candidates.begin_pass("operations");
  // A realloc that became a malloc may have taken an earlier line away, so the index can pass the end.
  for (size_t i = candidates.lines().size(); i-- > 0 && !candidates.stopped();) {
    if (i >= candidates.lines().size()) continue;
    const Operation line = candidates.lines()[i];
    switch (line.code) {
      case OpCode::kCalloc: simplify_calloc(candidates, i); break;
      case OpCode::kRealloc: simplify_realloc(candidates, i); break;
      case OpCode::kAlignedAlloc: try_call(candidates, i, OpCode::kMalloc, std::nullopt, line.args[1]); break;
      case OpCode::kPosixMemalign:
        if (!try_call(candidates, i, OpCode::kMalloc, std::nullopt, line.args[1])) {
          try_call(candidates, i, OpCode::kAlignedAlloc, std::nullopt, line.args[0], line.args[1]);
        }
        break;
      default: break;
    }
  }
}

}  // namespace assay
