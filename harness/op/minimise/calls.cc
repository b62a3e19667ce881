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

}  // namespace assay
