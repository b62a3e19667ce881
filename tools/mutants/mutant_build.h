// Builds a mutant: a patched copy of allocator/, of which only the objects that depend on a patched file are compiled
// again, linked by the very commands of build/<flavour> with all its other objects and libraries.
#pragma once

#include <filesystem>
#include <string>

#include "tools/mutants/expectation.h"

namespace assay::mutants {

// The tree that this tool was built from.
struct SourceTree {
  std::filesystem::path root;

  static SourceTree of_this_tool();  // throws InputError when there is none
  // An up-to-date build of the flavour; throws InputError when there is none.
  std::filesystem::path build_of(const std::string& flavour) const;
  std::filesystem::path mutant_folder(const std::string& name) const { return root / "build" / "mutants" / name; }
};

struct MutantBuild {
  std::filesystem::path folder;  // holds allocator/ and build/
  std::filesystem::path target;  // the fuzz target or the test; not there for a sweep or an exploration
  std::filesystem::path tool;    // `assay` of this mutant; not there for a test
  double seconds = 0;
};

// Throws InputError when the patch does not apply or the result does not compile.
MutantBuild build_mutant(const Expectation& mutant, const SourceTree& tree);

}  // namespace assay::mutants
