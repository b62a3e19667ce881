// Functions that tell the caller how large a block is, and those that he tells.
#include "allocator/api/request.h"
#include "allocator/base/assert.h"
#include "allocator/base/bits.h"
#include "allocator/include/ximalloc.h"

namespace {

// Where the caller wants to know the size of a block, and his block.
void* with_size(void* block, size_t* block_size) {
  if (block_size != nullptr) *block_size = xi_usable_size(block);
  return block;
}

}  // namespace

void* xi_umalloc(size_t size, size_t* block_size) noexcept {
  return with_size(xi_malloc(size), block_size);
}

void* xi_ucalloc(size_t count, size_t size, size_t* block_size) noexcept {
  return with_size(xi_calloc(count, size), block_size);
}

void* xi_umalloc_small(size_t size, size_t* block_size) noexcept {
  return with_size(xi_malloc_small(size), block_size);
}

void* xi_uzalloc_small(size_t size, size_t* block_size) noexcept {
  return with_size(xi_zalloc_small(size), block_size);
}

void* xi_umalloc_aligned(size_t size, size_t alignment, size_t* block_size) noexcept {
  return with_size(xi_malloc_aligned(size, alignment), block_size);
}

void* xi_uzalloc_aligned(size_t size, size_t alignment, size_t* block_size) noexcept {
  return with_size(xi_zalloc_aligned(size, alignment), block_size);
}

void* xi_urealloc(void* block, size_t size, size_t* size_before, size_t* size_after) noexcept {
  if (size_before != nullptr) *size_before = xi_usable_size(block);
  return with_size(xi_realloc(block, size), size_after);
}

void xi_ufree(void* block, size_t* block_size) noexcept {
  xi_free(with_size(block, block_size));
}

void xi_free_size(void* block, size_t size) noexcept {
  // 0 of NULL and of what is not ours: free names that.
  XI_ASSERT(xi_usable_size(block) == 0 || size <= xi_usable_size(block));
  xi_free(block);
}

void xi_free_size_aligned(void* block, size_t size, size_t alignment) noexcept {
  XI_ASSERT(xi::is_power_of_two(alignment) && xi::is_aligned(xi::address_of(block), alignment));
  xi_free_size(block, size);
}

void xi_free_aligned(void* block, size_t alignment) noexcept {
  XI_ASSERT(xi::is_power_of_two(alignment) && xi::is_aligned(xi::address_of(block), alignment));
  xi_free(block);
}

void xi_free_small(void* block) noexcept {
  XI_ASSERT(xi_usable_size(block) <= XI_SMALL_SIZE_MAX);
  xi_free(block);
}
