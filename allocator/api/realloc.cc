#include <cerrno>
#include <cstring>

#include "allocator/heap/alloc.h"
#include "allocator/heap/free.h"
#include "allocator/include/ximalloc.h"
#include "allocator/support/report.h"

namespace {

// A block is kept while the new size fits and uses at least half of it.
bool fits_in_place(size_t size, size_t usable) {
  return size <= usable && size >= usable / 2;
}

}  // namespace

void* xi_realloc(void* block, size_t size) noexcept {
  if (block == nullptr) return xi_malloc(size);
  const xi::Page* const page = xi::page_map::find(block);
  if (page == nullptr) {
    xi::warn_foreign_pointer("realloc", block);
    errno = EINVAL;
    return nullptr;
  }
  xi::check_block(page, "realloc", block);
  const size_t usable = page->block_size;
  if (fits_in_place(size, usable)) return block;
  void* const moved = xi_malloc(size);
  if (moved == nullptr) return nullptr;
  memcpy(moved, block, size < usable ? size : usable);
  xi::free_block(block);
  return moved;
}
