// Whose memory an address is. Any address may be asked about.
#include "allocator/arena/arena_set.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/include/ximalloc.h"
#include "allocator/page_map/page_map.h"

bool xi_check_owned(const void* pointer) noexcept {
  const xi::Page* const page = xi::page_map::find(pointer);
  return page != nullptr && xi::thread_state.has_heap() && page->heap.load(xi::kRelaxed) == xi::thread_state.current;
}

bool xi_is_in_heap_region(const void* pointer) noexcept {
  return xi::page_map::find(pointer) != nullptr || xi::arena_of(xi::address_of(pointer)) != nullptr;
}
