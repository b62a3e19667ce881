#include "harness/op/generate.h"

#include <algorithm>

#include "harness/op/draw.h"
#include "harness/op/live_slots.h"

namespace assay {

Program generate(uint64_t seed, size_t operations) {
  Draw draw(seed);
  const Features features{
      .threads = draw.random().one_in(6), .fork = draw.random().one_in(64), .failures = draw.random().one_in(8)};
  Program program;
  LiveSlots live;
  uint64_t left = std::min(operations, kMaxOperations);
  while (left > 0) {
    if (left == 1 && features.failures && draw.random().one_in(4)) {
      program.lines.push_back({.code = OpCode::kEnd, .fails = draw.failures()});
      break;
    }
    const Operation& operation = program.lines.emplace_back(draw.operation(live, features, left));
    live.apply(operation);
    left -= operation.members();
  }
  return program;
}

}  // namespace assay
