#include "allocator/base/assert.h"
#include "allocator/heap/free.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/retire.h"
#include "allocator/support/report.h"

namespace xi {

void free_without_page(void* pointer) {
  if (pointer != nullptr) warn_foreign_pointer("free", pointer);
}

void free_remote(void* pointer, Page* page) {
  void* block = pointer;
  const ThreadId owner = page->owner.load(kRelaxed);
  if (has_interior_bit(owner)) {
    block = page->block_of(pointer);
    if (without_interior_bit(owner) == thread_state.id) return free_local(block, page);
  }
  // From the push on the block, and with it the page, may be gone, unless the push has made the page ours.
  if (!page->push_thread_free(block)) return;
  settle(page, thread_state.backing);
}

void free_emptied(void*, Page* page) {
  retire(page->heap.load(kRelaxed), page);
}

#if defined(XIMALLOC_TEST_SEAMS)
void check_block(const Page* page, const char* function, const void* pointer) {
  if (!page->is_handed_out_at(pointer)) report_interior_pointer(function, pointer);
}
#endif

}  // namespace xi
