// A recorded trace as a set of seed programs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/op/program.h"
#include "harness/op/trace.h"

namespace assay {

struct ImportOptions {
  size_t window = 200;  // operations of the trace in each program
  size_t max_programs = 100;
};

struct ImportedProgram {
  std::string name;  // "<program>-NNN", NNN in the order of the trace: the same trace gives the same names
  Program program;
};

// Cuts every process of the trace into windows and keeps the most diverse of them; equal ones count once. Memory is
// bounded by max_programs and the trace's live blocks.
std::vector<ImportedProgram> import_trace(const TraceFile& trace, const ImportOptions& options);

}  // namespace assay
