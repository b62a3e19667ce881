// The walk over a heap as mimalloc has it (mi_heap_visit_blocks), in the form of HeapKit.
#pragma once

#include "harness/subject/heap_kit.h"

namespace assay {

// False, and nothing done, where `library` (of dlopen) has no such function. One library a process.
bool use_mimalloc_visit(void* library, HeapKit& kit);

}  // namespace assay
