#include "allocator/heap/heap.h"

#include "allocator/base/assert.h"

namespace xi {

constinit const Page empty_page{};
constinit const Heap empty_heap;
constinit const Heap watching_heap;

// Entries whose requests fall into the bin: a contiguous part of the table.
void Heap::update_direct(Bin bin) {
  const size_t last_size = bin.block_size();
  if (last_size > kDirectMax) return;
  const size_t first_size = bin.index() == 0 ? 0 : Bin(bin.index() - 1).block_size() + 1;
  Page* const first_page = queues[bin.index()].first();
  Page* const entry = first_page != nullptr ? first_page : const_cast<Page*>(&empty_page);
  const size_t last = last_size / 8;
  if (direct[last] == entry) return;
  for (size_t i = (first_size + 7) / 8; i <= last; ++i) direct[i] = entry;
}

void Heap::enqueue_front(Page* page) {
  XI_ASSERT(!page->in_queue && page->owner_id() == thread);
  queues[page->bin.index()].push_front(page);
  page->in_queue = true;
  update_direct(page->bin);
}

void Heap::enqueue_back(Page* page) {
  XI_ASSERT(!page->in_queue && page->owner_id() == thread);
  queues[page->bin.index()].push_back(page);
  page->in_queue = true;
  update_direct(page->bin);
}

void Heap::dequeue(Page* page) {
  XI_ASSERT(page->in_queue && page->heap.load(kRelaxed) == this);
  queues[page->bin.index()].remove(page);
  page->in_queue = false;
  update_direct(page->bin);
}

void Heap::move_to_front(Page* page) {
  PageQueue& queue = queues[page->bin.index()];
  if (queue.first() != page) {
    queue.remove(page);
    queue.push_front(page);
  }
  update_direct(page->bin);
}

void Heap::attach(Page* page) {
  if (page->heap.load(kRelaxed) == this) return;
  detach(page);
  LockGuard guard(pages_lock);
  pages.push_front(page);
  page->heap.store(this, kRelease);
}

void Heap::detach(Page* page) {
  // The end of the heap's thread may detach all of its pages at the same time: who has the lock looks again.
  for (Heap* heap = page->heap.load(kAcquire); heap != nullptr; heap = page->heap.load(kAcquire)) {
    LockGuard guard(heap->pages_lock);
    if (page->heap.load(kRelaxed) != heap) continue;
    heap->pages.remove(page);
    page->heap.store(nullptr, kRelease);
  }
}

// The lock of a list of orphans is the last one of its layer: nobody who holds one wants that of a heap.
void Heap::leave_pages_to(Heap* heirs) {
  LockGuard guard(pages_lock);
  if (pages.empty()) return;
  LockGuard guard_of_heirs(heirs->pages_lock);
  while (Page* const page = pages.first()) {
    pages.remove(page);
    heirs->pages.push_front(page);
    page->heap.store(heirs, kRelease);
  }
}

}  // namespace xi
