#include "harness/op/trace_window.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "harness/op/fold_ranges.h"

namespace assay {
namespace {

// How a block of the history would be allocated anew.
struct Birth {
  OpCode code = OpCode::kMalloc;
  std::array<uint64_t, kMaxArgs> args{};
  uint32_t thread = 0;

  auto order() const { return std::tuple(thread, code, args); }
};

Birth birth_by(const Step& step) {
  // A realloc's block is one of its new size, whatever it was before.
  if (step.code == OpCode::kRealloc) return {OpCode::kMalloc, {step.args[1]}, step.thread};
  return {step.code, step.args, step.thread};
}

Operation line_of(OpCode code, const std::array<uint64_t, kMaxArgs>& args, uint32_t thread) {
  Operation line;
  line.code = code;
  line.thread = thread;
  for (size_t i = 0; i < args.size(); ++i) line.args[i] = Value{args[i], args[i], 0};
  return line;
}

SlotRange one(size_t slot) {
  const auto number = static_cast<uint32_t>(slot);
  return SlotRange{number, number, 1, std::nullopt};
}

}  // namespace

// While a window is cut its blocks are numbered as they come; the slots follow at its end, old blocks first.
struct WindowCutter::State {
  StepSource& steps;
  size_t operations;
  std::vector<Birth> births;  // by slot of the history

  struct Call {
    Step step;
    std::optional<size_t> result, slot;  // numbers of blocks
  };
  struct Window {
    std::vector<Call> calls;
    std::vector<std::pair<size_t, Birth>> old_blocks;
    size_t blocks = 0;
    std::unordered_map<uint64_t, size_t> block_in;  // slot of the history -> block, of those that the window has met
    std::unordered_map<uint32_t, uint32_t> thread_for;
  };

  void add(Window& window, const Step& step);
  static uint32_t fold_thread(Window& window, uint32_t thread);
  static Program program_of(Window& window);
};

WindowCutter::WindowCutter(StepSource& steps, size_t operations)
    : state_(std::make_unique<State>(State{steps, std::clamp<size_t>(operations, 1, kMaxWindow), {}})) {}
WindowCutter::~WindowCutter() = default;

std::optional<Program> WindowCutter::next() {
  State::Window window;
  Step step;
  while (window.calls.size() < state_->operations && state_->steps.next(step)) state_->add(window, step);
  if (window.calls.empty()) return std::nullopt;
  return State::program_of(window);
}

void WindowCutter::State::add(Window& window, const Step& step) {
  Call call{step, std::nullopt, std::nullopt};
  if (step.slot) {
    const auto [known, is_old] = window.block_in.try_emplace(*step.slot, window.blocks);
    if (is_old) window.old_blocks.emplace_back(window.blocks++, births[*step.slot]);
    call.slot = known->second;
  }
  if (step.result_slot) {
    if (step.slot == step.result_slot) {
      call.result = call.slot;
    } else {
      call.result = window.blocks++;
      window.block_in[*step.result_slot] = *call.result;
    }
    if (*step.result_slot >= births.size()) births.resize(*step.result_slot + 1);
    births[*step.result_slot] = birth_by(step);
  }
  window.calls.push_back(call);
}

// The first thread stays t0; the others take t1, t2, t3 in turn, in the order in which the window meets them.
uint32_t WindowCutter::State::fold_thread(Window& window, uint32_t thread) {
  if (thread == 0) return 0;
  const auto met = static_cast<uint32_t>(window.thread_for.size());
  return window.thread_for.try_emplace(thread, 1 + met % (kMaxThreads - 1)).first->second;
}

Program WindowCutter::State::program_of(Window& window) {
  // Equal births side by side, so that they become ranges.
  std::sort(window.old_blocks.begin(), window.old_blocks.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.order(), a.first) < std::pair(b.second.order(), b.first);
  });
  std::vector<size_t> slot_of(window.blocks, window.blocks);
  Program program;
  size_t slots = 0;
  for (const auto& [block, birth] : window.old_blocks) {
    Operation line = line_of(birth.code, birth.args, fold_thread(window, birth.thread));
    line.result = one(slot_of[block] = slots++);
    program.lines.push_back(line);
  }
  for (const Call& call : window.calls) {
    Operation line = line_of(call.step.code, call.step.args, fold_thread(window, call.step.thread));
    if (call.slot) line.slot = one(slot_of[*call.slot]);
    if (call.result) {
      if (slot_of[*call.result] == window.blocks) slot_of[*call.result] = slots++;
      line.result = one(slot_of[*call.result]);
    }
    program.lines.push_back(line);
  }
  fold_ranges(program);
  return program;
}

}  // namespace assay
