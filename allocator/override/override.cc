// malloc and its relatives under their own names, for a program that runs with this library preloaded or linked first.
// Every name that the C library exports is here, so that no block crosses between two allocators. operator new and
// delete of libstdc++ and libc++ call malloc and free, and need no entry.
#include <cerrno>
#include <cstddef>
#include <cstdint>

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
  xi_free(block);
}

XI_OVERRIDE void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return xi_aligned_alloc(alignment, size);
}
XI_OVERRIDE void* memalign(size_t alignment, size_t size) noexcept {
  return xi_aligned_alloc(alignment, size);
}

XI_OVERRIDE int posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  return xi_posix_memalign(out, alignment, size);
}

namespace {
constexpr size_t kPage = 4096;
}

XI_OVERRIDE void* valloc(size_t size) noexcept {
  return xi_aligned_alloc(kPage, size);
}

XI_OVERRIDE void* pvalloc(size_t size) noexcept {
  if (size > PTRDIFF_MAX) {
    errno = ENOMEM;
    return nullptr;
  }
  return xi_aligned_alloc(kPage, (size + kPage - 1) & ~(kPage - 1));
}

XI_OVERRIDE void* reallocarray(void* block, size_t count, size_t size) noexcept {
  size_t total = 0;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return nullptr;
  }
  return xi_realloc(block, total);
}

XI_OVERRIDE size_t malloc_usable_size(void* block) noexcept {
  return xi_usable_size(block);
}
XI_OVERRIDE int malloc_trim(size_t pad) noexcept {
  return xi_malloc_trim(pad);
}
