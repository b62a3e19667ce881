// What tools that look for reads of uninitialised memory are told of a block: MemorySanitizer, when the allocator was
// compiled with it, and valgrind's memcheck, when the process runs under it. Nothing where neither is there.
#pragma once

#include <cstddef>

namespace assay {

// The caller is done with these bytes: whoever reads them before writing them, such as an allocator that takes what
// lies in a free block for its own, makes a mistake.
void mark_uninitialised(void* block, size_t size);

// The caller may read these bytes, whoever wrote them. Both are about a block's first 64 KiB.
void mark_initialised(void* block, size_t size);

}  // namespace assay
