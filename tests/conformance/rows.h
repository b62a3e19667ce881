// The rows of docs/semantics.md that the C interface of any allocator can be asked about. One row, one function.
#pragma once

#include <string_view>
#include <vector>

#include "harness/subject/subject.h"

namespace assay {

struct SemanticsRow {
  std::string_view name;                  // as in docs/semantics.md
  void (*check)(const Subject& subject);  // reports by GoogleTest's macros; may skip what the subject does not promise
};

const std::vector<SemanticsRow>& semantics_rows();

}  // namespace assay
