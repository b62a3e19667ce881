// What every fuzz target does around its programs, for libFuzzer and AFL++ alike: opens the subject, refuses to run
// without enough counters, runs a program under the oracles, keeps figures, and aborts on a violation.
//
// Environment: ASSAY_SUBJECT (default: the target's), ASSAY_MODE (default: the target's), ASSAY_STATS (file of the
// StatsPage).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "harness/exec/compared_subjects.h"
#include "harness/op/program.h"

namespace assay::fuzz {

struct Target {
  const char* name;
  size_t counter_floor;  // fewer counters in the allocator's own objects: it was not instrumented, so do not run
  Mode mode = Mode::kSequential;     // where ASSAY_MODE does not say
  const char* subject = "ximalloc";  // where ASSAY_SUBJECT does not say
  // Opens several subjects that are compared, as many of them in this process as can be; null where one is enough.
  std::unique_ptr<ComparedSubjects> (*open_list)(const std::string& list) = nullptr;
};

// Ends the process with status 2 and one line on stderr when the target cannot run.
void initialize(const Target& target, char** argv);

// In which programs run; known after initialize().
Mode mode_under_test();

// Whether a schedule can stop a thread inside of an operation, and not only before one.
bool accesses_are_seen();

// Runs one program of the byte form. Prints the report and aborts on a violation.
void run_one(const uint8_t* data, size_t size);

// Ends the process with status 3: not a find, but a fault of ours.
[[noreturn]] void harness_bug(const std::string& what);

}  // namespace assay::fuzz
