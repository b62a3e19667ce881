// What `assay fuzz` was asked to do.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace assay {

struct FuzzOptions {
  std::vector<std::string> targets;
  std::vector<std::string> subjects;
  uint64_t seconds = 60;  // for all targets and subjects together
  unsigned jobs = 1;
  bool keep_going = false;
  std::set<std::string> known;  // tokens that are no violation any more
  uint64_t seed = 0;            // 0: another one each time
};

}  // namespace assay
