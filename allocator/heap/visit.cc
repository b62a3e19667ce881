#include "allocator/heap/visit.h"

#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page/free_blocks.h"

namespace xi {

namespace {

// Blocks that others free from here on are shown as in use; blocks that were never linked are not.
bool visit_page(Page* page, bool all_blocks, BlockVisitor visitor, void* context) {
  page->collect_thread_free();
  const VisitedPage shown{reinterpret_cast<void*>(page->start), page->slices << kSliceShift, page->used,
                          page->block_size, page->tag};
  if (!visitor(shown, nullptr, context)) return false;
  if (!all_blocks || page->used == 0) return true;
  const FreeBlocks free(page);
  for (size_t i = 0; i < page->capacity; ++i) {
    if (free.has(i)) continue;
    if (!visitor(shown, reinterpret_cast<void*>(page->start + i * page->block_size), context)) return false;
  }
  return true;
}

// The heap's pages that are in no queue, each claimed, so that none ends; linked by the links that queues use.
Page* claim_released(Heap* heap) {
  Page* claimed = nullptr;
  LockGuard guard(heap->pages_lock);
  for (Page* page = heap->pages.first(); page != nullptr; page = page->heap_next) {
    if (page->in_queue || !page->try_claim()) continue;
    page->queue_next = claimed;
    claimed = page;
  }
  return claimed;
}

}  // namespace

bool visit_heap(Heap* heap, bool all_blocks, BlockVisitor visitor, void* context) {
  bool on = true;
  for (PageQueue& queue : heap->queues) {
    for (Page* page = queue.first(); page != nullptr && on; page = page->queue_next)
      on = visit_page(page, all_blocks, visitor, context);
  }
  for (Page* page = claim_released(heap); page != nullptr;) {
    Page* const next = page->queue_next;
    page->queue_next = nullptr;
    on = on && visit_page(page, all_blocks, visitor, context);
    settle(page, has_room(page) ? thread_state.backing : nullptr);
    page = next;
  }
  return on;
}

}  // namespace xi
