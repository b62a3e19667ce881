#include "harness/subject/mimalloc_visit.h"

#include <dlfcn.h>

namespace assay {
namespace {

// As mimalloc.h has it, from 1.7 to 3. Later fields stand behind these.
struct Area {
  void* blocks;
  size_t reserved;
  size_t committed;
  size_t used;  // blocks, not bytes
  size_t block_size;
};
using Visitor = bool(const void* heap, const Area* area, void* block, size_t block_size, void* context);

bool (*visit_of_library)(const void* heap, bool all_blocks, Visitor* visitor, void* context) = nullptr;

struct Visit {
  BlockVisitor visitor;
  void* context;
  bool shown;  // anything
};

bool pass_on(const void*, const Area* area, void* block, size_t block_size, void* context) {
  auto* const visit = static_cast<Visit*>(context);
  visit->shown = true;
  // Of a tag mimalloc 2 knows nothing: that of a heap without one.
  const VisitedArea shown{reinterpret_cast<uintptr_t>(area->blocks), area->reserved, area->used, area->block_size, 0};
  return visit->visitor(visit->context, shown, reinterpret_cast<uintptr_t>(block), block_size);
}

bool visit_heap(void* heap, bool all_blocks, BlockVisitor visitor, void* context) {
  Visit visit{visitor, context, false};
  // mimalloc 2 answers false for a heap without pages, too.
  return visit_of_library(heap, all_blocks, pass_on, &visit) || !visit.shown;
}

}  // namespace

bool use_mimalloc_visit(void* library, HeapKit& kit) {
  visit_of_library = reinterpret_cast<decltype(visit_of_library)>(dlsym(library, "mi_heap_visit_blocks"));
  if (visit_of_library == nullptr) return false;
  kit.visit_heap = visit_heap;
  return true;
}

}  // namespace assay
