#include "allocator/heap/fill.h"

#include <cstring>

#include "allocator/page_map/page_map.h"

#if !defined(NDEBUG)

namespace xi {

void* fill_fresh(void* block) {
  if (options.fill == 0 || block == nullptr) return block;
  return memset(block, kFreshByte, page_map::find(block)->usable_size(block));
}

void fill_freed(const Page* page, void* block) {
  if (options.fill != 0) memset(block, kFreedByte, page->usable_size(block));
}

}  // namespace xi

#endif
