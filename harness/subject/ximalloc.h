// Our own allocator, linked into this process.
#pragma once

#include <memory>

#include "harness/subject/subject.h"

namespace assay {

std::unique_ptr<Subject> open_ximalloc();

}  // namespace assay
