// What a mutant's patch says about itself: which files it changes, and its header
//
//   # Expect: <target>[@flavour] <fuzz|sweep|explore|test> <oracle>[|<oracle>] within=<seconds>
//
// and, where it is to be seen by comparing allocators as well,
//
//   # Compared: <oracle>[|<oracle>] within=<seconds>
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/oracle/violation.h"

namespace assay::mutants {

// The means that a mutant is hunted with.
enum class Hunter : uint8_t {
  kFuzz,     // the target, a libFuzzer binary
  kSweep,    // `assay sweep` on the committed programs of the target
  kExplore,  // `assay explore` on the committed programs of the target
  kTest,     // the target is a test executable: a failed test is `exit`, a signal `crash` or `abort`
};
std::string_view name(Hunter hunter);  // "fuzz", ...

struct Expectation {
  std::string name;  // of the patch file, without .patch
  std::filesystem::path patch;
  std::string target = "alloc_ops";
  std::string flavour = "fuzz";
  Hunter hunter = Hunter::kFuzz;
  std::vector<Oracle> oracles;  // empty in a patch without header: any oracle is right
  int within_seconds = 60;
  std::vector<std::string> files;  // "allocator/heap/free.cc"
  std::vector<Oracle> compared;    // of the second line, and divergence; empty without it
  int compared_within_seconds = 0;

  // The hunt by target differential. Only with such a line.
  Expectation by_comparison() const;
  bool accepts(Oracle oracle) const;
  std::string oracle_names() const;  // "overlap|contents"
};

// Throws InputError: no patch, nothing changed, a file outside allocator/, a header that is wrong, and with
// `header_needed` a header that is missing.
Expectation read_expectation(const std::filesystem::path& patch, bool header_needed);

}  // namespace assay::mutants
