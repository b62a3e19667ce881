// Cuts a recorded history into short programs that stand by themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "harness/op/program.h"

namespace assay {

// So that every window fits into the caps of the byte form: an operation needs at most one block from before the window
// or one new one, hence at most this many slots and twice as many operations.
inline constexpr size_t kMaxWindow = 1000;

class WindowCutter {
 public:
  // `operations` of the history in each window, 1 to kMaxWindow. `steps` must outlive the cutter.
  WindowCutter(StepSource& steps, size_t operations);
  ~WindowCutter();

  // The next window, or nothing at the end of the history. Blocks from before it are allocated at its start if it uses
  // them, with the size that they have by then; threads are folded into the four of the byte form; runs of equal calls
  // on neighbouring slots are ranges.
  std::optional<Program> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
