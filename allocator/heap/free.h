// Freeing: a block of a page that this thread has in a queue goes onto a plain list; everything else is in the slow
// path.
#pragma once

#include "allocator/heap/fill.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"

namespace xi {

// No page holds the address: null, or not ours.
void free_without_page(void* pointer);

// The page is another thread's, or nobody's, or has interior blocks. The pointer comes first, as in free: it is in the
// right register then.
void free_remote(void* pointer, Page* page);

// The last block of a page in the queue, `block`, has come back.
void free_emptied(void* block, Page* page);

// In the test flavours: ends the process when no block was handed out at the address.
#if defined(XIMALLOC_TEST_SEAMS)
void check_block(const Page* page, const char* function, const void* pointer);
#else
inline void check_block(const Page*, const char*, const void*) {}
#endif

// `block` is the start of one of a page that this thread has in a queue.
inline void free_local(void* block, Page* page) {
  page->push_local(block);
  if (__builtin_expect(--page->used == 0, 0) && page->retire_ticks == 0) free_emptied(block, page);
}

inline void free_block(void* pointer) {
  Page* const page = page_map::find(pointer);
  if (__builtin_expect(page == nullptr, 0)) return free_without_page(pointer);
  check_block(page, "free", pointer);
  fill_freed(page, pointer);
  count_block(page->block_size, -1);
  if (__builtin_expect(page->owner.load(kRelaxed) != thread_state.id, 0)) return free_remote(pointer, page);
  free_local(pointer, page);
}

}  // namespace xi
