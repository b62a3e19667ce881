// Finds out what an allocator does where the standard leaves a choice, by asking it in a child process.
#pragma once

#include "harness/subject/subject.h"

namespace assay {

// What could not be found out (the child died, no function for it) stays unknown: then what depends on it is skipped.
Promises probe_promises(const SubjectApi& api);

}  // namespace assay
