// What `assay fuzz` was asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/op/program.h"

namespace assay {

enum class Engine : uint8_t { kLibFuzzer, kAfl };

struct FuzzOptions {
  Engine engine = Engine::kLibFuzzer;
  std::vector<std::string> targets;
  std::vector<std::string> subjects;
  std::string flavour = "fuzz";
  std::optional<Mode> mode;  // of each target its own where it is not said
  uint64_t seconds = 60;     // for all targets and subjects together
  unsigned jobs = 1;
  bool keep_going = false;
  std::set<std::string> known;  // tokens that are no violation any more
  uint64_t seed = 0;            // 0: another one each time
};

}  // namespace assay
