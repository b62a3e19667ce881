// malloc, calloc, free and usable size. This file and its neighbours are where a missing result becomes errno.
#include <cstring>

#include "allocator/api/request.h"
#include "allocator/heap/alloc.h"
#include "allocator/heap/fill.h"
#include "allocator/heap/free.h"
#include "allocator/include/ximalloc.h"
#include "allocator/support/report.h"

namespace {

// Out of line, so that xi_malloc's fast path needs no stack frame.
[[gnu::noinline]] void* malloc_general(size_t size) {
  void* const block = xi::allocate(size).block;
  return block != nullptr ? xi::fill_fresh(block) : xi::out_of_memory();
}

}  // namespace

void* xi_malloc(size_t size) noexcept {
  if (__builtin_expect(size <= xi::kDirectMax, 1)) {
    xi::Page* const page = xi::direct_page(size);
    if (__builtin_expect(page->free != nullptr, 1)) return xi::fill_fresh(page->pop());
  }
  return malloc_general(size);
}

void* xi_zalloc(size_t size) noexcept {
  const xi::Allocation result = xi::allocate(size);
  if (result.block == nullptr) return xi::out_of_memory();
  // Fresh memory is zero but for the link that was in its first word; every block has room for a word. Zero to its end,
  // so that rezalloc can grow it in place without knowing how much of it was asked for.
  return memset(result.block, 0, result.zero ? sizeof(xi::Block) : xi::block_size_for(size));
}

void* xi_calloc(size_t count, size_t size) noexcept {
  size_t total = 0;
  if (__builtin_mul_overflow(count, size, &total)) return xi::out_of_memory();
  return xi_zalloc(total);
}

void* xi_mallocn(size_t count, size_t size) noexcept {
  size_t total = 0;
  return xi::multiply(count, size, &total) ? xi_malloc(total) : xi::out_of_memory();
}

void* xi_malloc_small(size_t size) noexcept {
  XI_ASSERT(size <= XI_SMALL_SIZE_MAX);
  xi::Page* const page = xi::direct_page(size);
  return __builtin_expect(page->free != nullptr, 1) ? xi::fill_fresh(page->pop()) : malloc_general(size);
}

void* xi_zalloc_small(size_t size) noexcept {
  XI_ASSERT(size <= XI_SMALL_SIZE_MAX);
  return xi_zalloc(size);
}

void xi_free(void* block) noexcept {
  xi::free_block(block);
}

void xi_cfree(void* block) noexcept {
  xi::free_block(block);
}

size_t xi_usable_size(const void* block) noexcept {
  const xi::Page* const page = xi::page_map::find(block);
  if (page == nullptr) {
    if (block != nullptr) xi::warn_foreign_pointer("usable_size", block);
    return 0;
  }
  xi::check_block(page, "usable_size", block);
  return page->usable_size(block);
}

size_t xi_malloc_size(const void* block) noexcept {
  return xi_usable_size(block);
}

size_t xi_good_size(size_t size) noexcept {
  return size > xi::kMaxRequest ? size : xi::block_size_for(size);
}

size_t xi_malloc_good_size(size_t size) noexcept {
  return xi_good_size(size);
}
