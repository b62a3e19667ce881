#include "tools/fuzz/preceding.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "harness/op/decode.h"
#include "harness/op/text.h"
#include "tools/atomic_file.h"

namespace assay {
namespace {

// The end of a program in the middle of a longer one.
void append_end(const Program& program, std::vector<Operation>& lines) {
  std::set<uint32_t> threads;
  std::set<uint64_t> heaps;
  uint32_t last_slot = 0;
  Operation free_all;
  free_all.code = OpCode::kFree;
  for (const Operation& line : program.lines) {
    // Of the frees, which end() stands for.
    if (line.code == OpCode::kEnd) free_all.fails = line.fails;
    // Names of heaps serve the next program again; heaps of other threads end with these.
    if (line.thread == 0 && info(line.code).args[0] == ArgKind::kNewHeap) heaps.insert(line.args[0].low);
    if (line.code == OpCode::kThreadExit) {
      threads.erase(line.thread);
    } else if (line.thread != 0) {
      threads.insert(line.thread);
    }
    if (line.result) last_slot = std::max(last_slot, line.result->last);
  }
  for (const uint32_t thread : threads) {
    Operation exit;
    exit.code = OpCode::kThreadExit;
    exit.thread = thread;
    lines.push_back(exit);
  }
  free_all.slot = SlotRange{0, last_slot, 1, std::nullopt};
  lines.push_back(free_all);
  for (const uint64_t heap : heaps) {
    Operation end;
    end.code = OpCode::kHeapDelete;
    end.args[0] = Value::of(heap);
    lines.push_back(end);
  }
}

ReplayInput as_input(Program program, const std::string& folder) {
  ReplayInput input;
  input.file = folder + "/preceding.ops";
  input.form = Form::kText;
  input.may_have_dead_failures = true;
  write_atomically(input.file, print_text(program));
  input.program = std::move(program);
  return input;
}

}  // namespace

std::vector<Program> recent_programs(const fuzz::StatsPage& stats) {
  std::vector<Program> result;
  for (const std::vector<uint8_t>& bytes : stats.recent.all()) result.push_back(decode(bytes));
  return result;
}

Program concatenated(const std::vector<Program>& programs, size_t count) {
  Program joined;
  for (size_t i = programs.size() - count; i < programs.size(); ++i) {
    const bool is_last = i + 1 == programs.size();
    std::ranges::copy_if(programs[i].lines, std::back_inserter(joined.lines),
                         [is_last](const Operation& line) { return is_last || line.code != OpCode::kEnd; });
    if (!is_last) append_end(programs[i], joined.lines);
  }
  return joined;
}

std::optional<Reproduced> reproduce_with_preceding(const std::vector<Program>& programs, ReplayRunner& runner,
                                                   const std::string& folder, uint64_t times) {
  std::optional<Reproduced> shortest;
  const auto try_count = [&](size_t count) {
    const ReplayInput input = as_input(concatenated(programs, count), folder);
    ReplayVerdict verdict = runner.run(input, times);
    if (!verdict.violation) return false;
    shortest = Reproduced{input.program, std::move(verdict), count};
    return true;
  };
  // Doubling finds a run that is long enough, halving the shortest; the last program alone has been tried before.
  size_t too_short = 1, enough = 2;
  while (enough <= programs.size() && !try_count(enough)) {
    too_short = enough;
    if (enough == programs.size()) return std::nullopt;
    enough = std::min(enough * 2, programs.size());
  }
  if (!shortest) return std::nullopt;
  while (too_short + 1 < enough) {
    const size_t middle = (too_short + enough) / 2;
    (try_count(middle) ? enough : too_short) = middle;
  }
  return shortest;
}

}  // namespace assay
