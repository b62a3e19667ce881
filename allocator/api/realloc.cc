// Blocks that change their size.
#include <cerrno>

#include "allocator/api/request.h"
#include "allocator/heap/free.h"
#include "allocator/include/ximalloc.h"
#include "allocator/support/report.h"

void* xi_realloc(void* block, size_t size) noexcept {
  return xi::reallocate_request(block, {.size = size});
}

void* xi_reallocn(void* block, size_t count, size_t size) noexcept {
  size_t total = 0;
  return xi::multiply(count, size, &total) ? xi_realloc(block, total) : xi::out_of_memory();
}

void* xi_reallocarray(void* block, size_t count, size_t size) noexcept {
  return xi_reallocn(block, count, size);
}

int xi_reallocarr(void* block_pointer, size_t count, size_t size) noexcept {
  size_t total = 0;
  if (block_pointer == nullptr) return EINVAL;
  if (!xi::multiply(count, size, &total)) return ENOMEM;
  auto* const block = static_cast<void**>(block_pointer);
  return xi::serve_again(*block, {.size = total}, block);
}

void* xi_reallocf(void* block, size_t size) noexcept {
  void* const moved = xi_realloc(block, size);
  // What is not ours has been named, and stays where it is.
  if (moved == nullptr && errno == ENOMEM) xi::free_block(block);
  return moved;
}

void* xi_rezalloc(void* block, size_t size) noexcept {
  return xi::reallocate_request(block, {.size = size, .zero = true});
}

void* xi_recalloc(void* block, size_t count, size_t size) noexcept {
  size_t total = 0;
  return xi::multiply(count, size, &total) ? xi_rezalloc(block, total) : xi::out_of_memory();
}

void* xi_expand(void* block, size_t size) noexcept {
  const xi::Page* const page = xi::page_map::find(block);
  if (page == nullptr) {
    if (block != nullptr) xi::warn_foreign_pointer("expand", block);
    return xi::fail(EINVAL);
  }
  xi::check_block(page, "expand", block);
  return size <= page->usable_size(block) ? block : xi::out_of_memory();
}

void* xi_realloc_aligned(void* block, size_t size, size_t alignment) noexcept {
  return xi::reallocate_request(block, {.size = size, .alignment = alignment});
}

void* xi_realloc_aligned_at(void* block, size_t size, size_t alignment, size_t offset) noexcept {
  return xi::reallocate_request(block, {.size = size, .alignment = alignment, .offset = offset});
}

void* xi_rezalloc_aligned(void* block, size_t size, size_t alignment) noexcept {
  return xi::reallocate_request(block, {.size = size, .alignment = alignment, .zero = true});
}

void* xi_rezalloc_aligned_at(void* block, size_t size, size_t alignment, size_t offset) noexcept {
  return xi::reallocate_request(block, {.size = size, .alignment = alignment, .offset = offset, .zero = true});
}

void* xi_recalloc_aligned(void* block, size_t count, size_t size, size_t alignment) noexcept {
  return xi_recalloc_aligned_at(block, count, size, alignment, 0);
}

void* xi_recalloc_aligned_at(void* block, size_t count, size_t size, size_t alignment, size_t offset) noexcept {
  size_t total = 0;
  if (!xi::multiply(count, size, &total)) return xi::out_of_memory();
  return xi_rezalloc_aligned_at(block, total, alignment, offset);
}

void* xi_aligned_recalloc(void* block, size_t count, size_t size, size_t alignment) noexcept {
  return xi_recalloc_aligned_at(block, count, size, alignment, 0);
}

void* xi_aligned_offset_recalloc(void* block, size_t count, size_t size, size_t alignment, size_t offset) noexcept {
  return xi_recalloc_aligned_at(block, count, size, alignment, offset);
}
