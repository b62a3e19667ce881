// What a caller saw of each step of one run, for comparing it with what other subjects answered. Plain memory, so that
// it can lie between two processes.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <span>

#include "harness/op/program.h"

namespace assay {

// Without initialisers, as Drop: a large array of them in shared memory is not touched before it is used.
struct StepAnswer {
  uint32_t line;
  uint32_t member;
  OpCode code;
  bool skipped;
  bool succeeded;       // non-null, or a call that cannot fail
  bool unlawful;        // NULL where the standard says something else, or with another error
  bool slot_live;       // the block that the step names is still there
  bool result_live;     // the slot that it fills has a block now
  bool stayed;          // a resize that left the block where it was
  bool tells;           // a question to which there is one answer
  int32_t error;        // errno, or the returned error, of a call that failed
  uint64_t told;        // what that was: 0 or 1, or how many blocks a walk has shown
  uint64_t told_bytes;  // and what was asked for them
  // Of the block that the step filled a slot with; else 0. Not compared: allocators choose them freely.
  uint64_t address;
  uint64_t usable;

  bool operator==(const StepAnswer&) const = default;
};

// After the step the block of `slot` is freed, if one is there: others have none, and what follows could not be
// compared.
struct Drop {
  uint32_t line;
  uint32_t member;
  uint64_t slot;

  auto operator<=>(const Drop&) const = default;
};

inline constexpr size_t kMaxStepAnswers = size_t{1} << 16;
inline constexpr size_t kMaxDrops = 1024;

// Which operations a subject can be asked, by opcode.
using AskableOperations = std::array<bool, 256>;

// One run of a comparison: what it is to do besides, and what was seen. A run that is compared also asks what the
// subject promises nothing about, as far as the answer cannot hurt the model.
struct Comparison {
  uint32_t drop_count = 0;  // in the order of the steps
  uint32_t next_drop = 0;   // the first that has not come yet
  uint32_t count = 0;       // answers; those beyond kMaxStepAnswers are not kept
  bool too_long = false;    // there were more
  // What not all can be asked, nobody is: a block that some cannot have would only have to be dropped again.
  AskableOperations askable{};
  Drop drops[kMaxDrops];
  StepAnswer answers[kMaxStepAnswers];

  // Before a run. `all_drops` in the order of the steps.
  void begin(std::span<const Drop> all_drops, const AskableOperations& all_askable) {
    count = next_drop = 0;
    too_long = false;
    askable = all_askable;
    drop_count = static_cast<uint32_t>(std::min(all_drops.size(), kMaxDrops));
    std::copy_n(all_drops.begin(), drop_count, drops);
  }

  std::span<const StepAnswer> seen() const { return {answers, count}; }
  void note(const StepAnswer& answer) {
    if (count == kMaxStepAnswers) {
      too_long = true;
      return;
    }
    answers[count++] = answer;
  }
};

}  // namespace assay
