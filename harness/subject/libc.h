// The allocator of the C library that this process runs on, reached past any interceptor of a sanitizer.
#pragma once

#include <memory>

#include "harness/subject/subject.h"

namespace assay {

std::unique_ptr<Subject> open_libc();

}  // namespace assay
