// malloc and its relatives under their own names, for a program that runs with this library preloaded or linked first.
// Every name that the C library exports is here, so that no block crosses between two allocators. operator new and
// delete of libstdc++ and libc++ call malloc and free, and need no entry.
#include <cstddef>

#include "allocator/include/ximalloc.h"

#define XI_OVERRIDE extern "C" __attribute__((visibility("default")))

XI_OVERRIDE void* malloc(size_t size) noexcept {
  return xi_malloc(size);
}
XI_OVERRIDE void* calloc(size_t count, size_t size) noexcept {
  return xi_calloc(count, size);
}
XI_OVERRIDE void* realloc(void* block, size_t size) noexcept {
  return xi_realloc(block, size);
}
XI_OVERRIDE void free(void* block) noexcept {
  xi_free(block);
}
XI_OVERRIDE void cfree(void* block) noexcept {
  xi_cfree(block);
}

XI_OVERRIDE void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return xi_aligned_alloc(alignment, size);
}
XI_OVERRIDE void* memalign(size_t alignment, size_t size) noexcept {
  return xi_memalign(alignment, size);
}

XI_OVERRIDE int posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  return xi_posix_memalign(out, alignment, size);
}

XI_OVERRIDE void* valloc(size_t size) noexcept {
  return xi_valloc(size);
}

XI_OVERRIDE void* pvalloc(size_t size) noexcept {
  return xi_pvalloc(size);
}

XI_OVERRIDE void* reallocarray(void* block, size_t count, size_t size) noexcept {
  return xi_reallocarray(block, count, size);
}

XI_OVERRIDE size_t malloc_usable_size(void* block) noexcept {
  return xi_usable_size(block);
}
XI_OVERRIDE int malloc_trim(size_t pad) noexcept {
  return xi_malloc_trim(pad);
}
