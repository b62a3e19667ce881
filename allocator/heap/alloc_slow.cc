#include "allocator/base/assert.h"
#include "allocator/base/start.h"
#include "allocator/heap/alloc.h"
#include "allocator/heap/collect.h"
#include "allocator/heap/deferred_free.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/page_source.h"
#include "allocator/heap/retire.h"
#include "allocator/heap/tick.h"
#include "allocator/heap/watch.h"

namespace xi {

namespace {

bool has_heap() {
  return thread_state.has_heap() || start_thread();
}

// The thread's heap, with what is done on each slow path.
Heap* ready_heap() {
  Heap* const heap = thread_state.current;
  follow_watch(heap);
  heap->slow_paths.add_as_only_writer(1);
  follow_collect_requests(heap);
  age_retired(heap, false);
  if (heap->until_tick <= Heap::kSlowPathCounts) {
    tick(heap);
  } else {
    heap->until_tick -= Heap::kSlowPathCounts;
  }
  run_deferred_free(heap, false);
  return heap;
}

// A page of the heap with a free block; full pages on the way leave the queue.
Page* page_from_queue(Heap* heap, Bin bin) {
  PageQueue& queue = heap->queues[bin.index()];
  for (Page* page = queue.first(); page != nullptr;) {
    Page* const next = page->queue_next;
    if (page->free != nullptr || page->refill()) {
      heap->move_to_front(page);
      return page;
    }
    release_page(heap, page);
    page = next;
  }
  return nullptr;
}

Page* page_that_came_back(Heap* heap, Bin bin) {
  take_returned_pages(heap);
  return page_from_queue(heap, bin);
}

Allocation allocate_huge(Heap* heap, size_t size, size_t alignment) {
  bool zero = false;
  void* const block = new_huge_block(heap, size, alignment, &zero);
  return {block, zero};
}

}  // namespace

Allocation allocate_slow(size_t size) {
  XI_ASSERT(size <= kMaxRequest);
  // A thread's heap is made at its first allocation.
  if (!has_heap()) return {nullptr, false};
  if (thread_state.heap == &watching_heap) return allocate_watched(size);
  Heap* const heap = ready_heap();
  if (size > kLargeBlockMax) return allocate_huge(heap, size, kSliceSize);
  const Bin bin = Bin::of_size(size);
  Page* page = page_from_queue(heap, bin);
  if (page == nullptr) page = heap->is_backing ? reclaim(heap, bin) : page_that_came_back(heap, bin);
  if (page == nullptr) page = new_page(heap, bin);
  if (page == nullptr) return {nullptr, false};
  const bool has_block = page->free != nullptr || page->refill();
  XI_ASSERT(has_block);
  const bool zero = page->free_is_zero;
  return {page->pop(), zero};
}

Allocation allocate_over_aligned(size_t size, size_t alignment) {
  XI_ASSERT(alignment > kSliceSize && size <= kMaxRequest);
  return has_heap() ? allocate_huge(ready_heap(), size, alignment) : Allocation{nullptr, false};
}

}  // namespace xi
