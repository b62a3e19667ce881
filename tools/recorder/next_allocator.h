// The allocator that the program would have used without us: the next definitions in the loader's order.
#pragma once

#include <cstddef>

namespace assay::recorder {

struct NextAllocator {
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  int (*posix_memalign)(void**, size_t, size_t);
  void* (*memalign)(size_t, size_t);
  void* (*valloc)(size_t);
  void* (*pvalloc)(size_t);
  void (*free)(void*);
  size_t (*usable_size)(void*);
};

// Null while the definitions are being looked up, which may itself allocate: then serve from the early blocks.
const NextAllocator* next_allocator();

// Blocks for the calls that come while the definitions are looked up: from a small static area, never reused.
void* early_allocate(size_t size, size_t alignment);
bool is_early(const void* block);
size_t early_size(const void* block);

// The next definition of any function.
void* next_definition(const char* name);

}  // namespace assay::recorder
