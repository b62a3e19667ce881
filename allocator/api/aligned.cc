// Blocks at a multiple of an alignment, or at an offset from one.
#include <cerrno>

#include "allocator/api/request.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/include/ximalloc.h"

namespace {

// What valloc and pvalloc mean by a page, whatever the kernel has.
constexpr size_t kSystemPage = 4 * xi::kKiB;

}  // namespace

void* xi_aligned_alloc(size_t alignment, size_t size) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment});
}

void* xi_memalign(size_t alignment, size_t size) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment});
}

int xi_posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  if (alignment % sizeof(void*) != 0) return EINVAL;
  return xi::serve({.size = size, .alignment = alignment}, out);
}

void* xi_valloc(size_t size) noexcept {
  return xi::allocate_request({.size = size, .alignment = kSystemPage});
}

void* xi_pvalloc(size_t size) noexcept {
  if (size > xi::kMaxRequest) return xi::out_of_memory();
  return xi::allocate_request({.size = xi::align_up(size, kSystemPage), .alignment = kSystemPage});
}

void* xi_malloc_aligned(size_t size, size_t alignment) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment});
}

void* xi_malloc_aligned_at(size_t size, size_t alignment, size_t offset) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment, .offset = offset});
}

void* xi_zalloc_aligned(size_t size, size_t alignment) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment, .zero = true});
}

void* xi_zalloc_aligned_at(size_t size, size_t alignment, size_t offset) noexcept {
  return xi::allocate_request({.size = size, .alignment = alignment, .offset = offset, .zero = true});
}

void* xi_calloc_aligned(size_t count, size_t size, size_t alignment) noexcept {
  return xi_calloc_aligned_at(count, size, alignment, 0);
}

void* xi_calloc_aligned_at(size_t count, size_t size, size_t alignment, size_t offset) noexcept {
  size_t total = 0;
  if (!xi::multiply(count, size, &total)) return xi::out_of_memory();
  return xi::allocate_request({.size = total, .alignment = alignment, .offset = offset, .zero = true});
}
