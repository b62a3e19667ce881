// Our own allocator, linked into this process.
#pragma once

#include <memory>
#include <vector>

#include "harness/subject/subject.h"
#include "harness/subject/subject_spec.h"

namespace assay {

// `settings` are options by their names in docs/options.md, set now and again after each reset. Throws InputError for
// an unknown one and for a value that it does not take.
std::unique_ptr<Subject> open_ximalloc(const std::vector<SubjectSetting>& settings = {});

}  // namespace assay
