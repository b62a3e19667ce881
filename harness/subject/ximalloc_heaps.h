// What ximalloc has for programs about heaps: its functions behind pointers that do not know its types.
#pragma once

#include "harness/subject/subject.h"

namespace assay {

void add_ximalloc_heaps(SubjectApi& api, HeapKit& kit);

}  // namespace assay
