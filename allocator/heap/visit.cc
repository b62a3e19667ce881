#include "allocator/heap/visit.h"

#include "allocator/base/patience.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page/free_blocks.h"

namespace xi {

namespace {

// What visits a page's blocks, and which pages.
struct Walk {
  bool all_blocks;
  int tag;  // negative: any
  BlockVisitor visitor;
  void* context;
};

// Blocks that others free from here on are shown as in use; blocks that were never linked are not.
bool visit_page(Page* page, Heap* heap, const Walk& walk) {
  page->collect_thread_free();
  const VisitedPage shown{
      heap, reinterpret_cast<void*>(page->start), page->slices << kSliceShift, page->used, page->block_size, page->tag,
  };
  if (!walk.visitor(shown, nullptr, walk.context)) return false;
  if (!walk.all_blocks || page->used == 0) return true;
  const FreeBlocks free(page);
  for (size_t i = 0; i < page->capacity; ++i) {
    if (free.has(i)) continue;
    if (!walk.visitor(shown, reinterpret_cast<void*>(page->start + i * page->block_size), walk.context)) return false;
  }
  return true;
}

// The pages of the list that are in no queue, each claimed, so that none ends; linked by the links that queues use.
// Who frees a block or looks for room has a page for a moment: until then it is waited for.
Page* claim_released(Heap* heap) {
  Page* claimed = nullptr;
  size_t mine = 0;
  for (Patience patience;;) {
    const size_t mine_before = mine;
    size_t held = 0;
    {
      LockGuard guard(heap->pages_lock);
      for (Page* page = heap->pages.first(); page != nullptr; page = page->heap_next) {
        if (page->in_queue) continue;
        if (!page->try_claim()) {
          ++held;
          continue;
        }
        page->queue_next = claimed;
        claimed = page;
        ++mine;
      }
    }
    if (held == mine_before || !patience.wait()) return claimed;
  }
}

// `heap` is what the visitor is told.
bool visit_released(Heap* list, Heap* heap, const Walk& walk) {
  bool on = true;
  for (Page* page = claim_released(list); page != nullptr;) {
    Page* const next = page->queue_next;
    page->queue_next = nullptr;
    if (on && (walk.tag < 0 || walk.tag == page->tag)) on = visit_page(page, heap, walk);
    settle(page, heap != nullptr && has_room(page) ? thread_state.backing : nullptr);
    page = next;
  }
  return on;
}

}  // namespace

bool visit_heap(Heap* heap, bool all_blocks, BlockVisitor visitor, void* context) {
  const Walk walk{all_blocks, -1, visitor, context};
  bool on = true;
  for (PageQueue& queue : heap->queues) {
    for (Page* page = queue.first(); page != nullptr && on; page = page->queue_next) on = visit_page(page, heap, walk);
  }
  return on && visit_released(heap, heap, walk);
}

bool visit_abandoned(Heap* orphans, int tag, bool all_blocks, BlockVisitor visitor, void* context) {
  const Walk walk{all_blocks, tag, visitor, context};
  if (!visit_released(orphans, nullptr, walk)) return false;
  for (Heap* heap = first_heap(); heap != nullptr; heap = heap->next_heap) {
    if (is_orphaned(heap, orphans->subprocess) && !visit_released(heap, heap, walk)) return false;
  }
  return true;
}

}  // namespace xi
