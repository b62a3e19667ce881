// A program as one C11 file on the plain malloc API, to be sent to someone who has never heard of us: no dependency but
// the C library and pthreads, checks included, exit status not 0 where an allocator breaks a promise and 0 where it
// keeps them all.
#pragma once

#include <string>

#include "harness/op/program.h"
#include "harness/oracle/violation.h"

namespace assay {

struct ExportContext {
  std::string explanation;        // the violation report; becomes the header comment
  std::string file_name;          // of the C file, for the compile line in the comment
  std::string preload;            // shared object that shows the bug, "" where there is none to name
  std::string prefix;             // of the functions' names, "" where they are called malloc and free
  Oracle oracle = Oracle::kNone;  // what it shows: some checks hold for every allocator only when they are the point
  bool has_own_seam = false;  // the subject's OS calls were watched, so that `outside` need not be visible to a caller
};

// Throws InputError, saying why, for what the plain API cannot show or express.
std::string export_c(const Program& program, const ExportContext& context);

}  // namespace assay
