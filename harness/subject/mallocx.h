// jemalloc's own interface (mallocx, rallocx, xallocx, sallocx, dallocx, sdallocx, nallocx) as functions of the family:
// each answers what the family's function of that name answers, by a call of the other.
#pragma once

#include "harness/subject/subject.h"

namespace assay {

// Fills in what can be said in these words, and empties the rest. False, and nothing done, where `library` (of
// dlopen) has none of them. One library a process.
bool use_mallocx(void* library, SubjectApi& api);

}  // namespace assay
