#include <cerrno>

#include "allocator/heap/alloc.h"
#include "allocator/include/ximalloc.h"

namespace {

// Null when there is no memory. Sizes above a slice are slice-aligned anyway; below, a size that is a multiple of the
// alignment gets a block that is one too (page/bin.h).
void* allocate_aligned(size_t alignment, size_t size) {
  if (size > xi::kMaxRequest || alignment > xi::kMaxRequest) return nullptr;
  if (alignment > xi::kSliceSize) return xi::allocate_over_aligned(size, alignment).block;
  return xi::allocate(size == 0 ? alignment : xi::align_up(size, alignment)).block;
}

}  // namespace

void* xi_aligned_alloc(size_t alignment, size_t size) noexcept {
  if (!xi::is_power_of_two(alignment)) {
    errno = EINVAL;
    return nullptr;
  }
  void* const block = allocate_aligned(alignment, size);
  if (block == nullptr) errno = ENOMEM;
  return block;
}

int xi_posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  if (!xi::is_power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* const block = allocate_aligned(alignment, size);
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}
