#include "allocator/heap/collect.h"

#include "allocator/arena/arena_set.h"
#include "allocator/heap/deferred_free.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/page_source.h"
#include "allocator/heap/retire.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/heap/tick.h"
#include "allocator/page/page_purge.h"

namespace xi {

namespace {
constinit Atomic<uint64_t> requests;
}

void collect_heap(Heap* heap, bool purge) {
  take_returned_pages(heap);
  age_retired(heap, true);
  PagePurge inside;
  for (PageQueue& queue : heap->queues) {
    for (Page* page = queue.first(); page != nullptr;) {
      Page* const next = page->queue_next;
      page->collect_thread_free();
      if (page->used == 0) {
        release_page(heap, page);
      } else if (purge) {
        inside.add(page);
      }
      page = next;
    }
  }
}

void collect(bool force) {
  if (thread_state.has_heap()) {
    run_deferred_free(thread_state.backing, force);
    const uint64_t epoch = force ? requests.fetch_add(1, kRelaxed) + 1 : 0;
    for (Heap* heap = thread_state.backing; heap != nullptr; heap = heap->next_of_thread) {
      if (force) heap->collected_epoch = epoch;
      collect_heap(heap, force && purges_pages());
    }
  } else if (force) {
    requests.fetch_add(1, kRelaxed);
  }
  collect_abandoned(force && purges_pages());
  purge_arenas(force);
}

void collect_and_reduce(size_t target) {
  collect(true);
  Heap* const heap = thread_state.backing;
  if (heap == nullptr) return;
  size_t bytes = 0;
  for (const PageQueue& queue : heap->queues) {
    for (const Page* page = queue.first(); page != nullptr; page = page->queue_next)
      bytes += page->slices << kSliceShift;
  }
  // The largest pages first, and of each size those that are not allocated from.
  for (size_t bin = kBinCount; bin > 0; --bin) {
    while (Page* const page = bytes > target ? heap->queues[bin - 1].last() : nullptr) {
      bytes -= page->slices << kSliceShift;
      release_page(heap, page);
    }
  }
  collect_abandoned(purges_pages());
  purge_arenas(true);
}

void follow_collect_requests(Heap* heap) {
  const uint64_t wanted = requests.load(kRelaxed);
  if (heap->collected_epoch == wanted) return;
  heap->collected_epoch = wanted;
  collect_heap(heap, purges_pages());
}

void reset_collect() {
  requests.store(0, kRelaxed);
}

}  // namespace xi
