#include "allocator/heap/first_class.h"

#include "allocator/base/assert.h"
#include "allocator/base/start.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/page_source.h"
#include "allocator/heap/retire.h"
#include "allocator/heap/thread_heap.h"

namespace xi {

namespace {

// A page in no queue may be claimed by another thread for the moment that this needs to see that the page is not what
// it looks for. So often that is waited for; a page that stays claimed was lost in a fork.
constexpr int kPatience = 10'000;

// The first page of the heap's list, owned by the caller and in no queue; null when there is none left.
Page* take_first_page(Heap* heap) {
  for (int tries = 0;; ++tries) {
    LockGuard guard(heap->pages_lock);
    Page* const page = heap->pages.first();
    if (page == nullptr) return nullptr;
    if (page->in_queue) {
      unretire(heap, page);
      heap->dequeue(page);
      page->set_owner(ThreadId::kNone);
      return page;
    }
    if (page->try_claim()) return page;
    if (tries < kPatience) continue;
    heap->pages.remove(page);
    page->heap.store(nullptr, kRelease);
    tries = 0;
  }
}

void unlink(Heap* heap) {
  ThreadState& state = thread_state;
  if (heap->state != HeapState::kLive) return;
  Heap* before = state.backing;
  while (before->next_of_thread != heap) before = before->next_of_thread;
  before->next_of_thread = heap->next_of_thread;
  if (state.chosen == heap) state.heap = state.chosen = state.backing;
}

}  // namespace

Heap* new_heap(const HeapWish& wish) {
  if (!thread_state.has_heap() && !start_thread()) return nullptr;
  Heap* const heap = take_heap(thread_state.id, false);
  if (heap == nullptr) return nullptr;
  heap->arena = wish.arena;
  heap->tag = wish.tag;
  heap->allow_destroy = wish.allow_destroy;
  heap->next_of_thread = thread_state.backing->next_of_thread;
  thread_state.backing->next_of_thread = heap;
  return heap;
}

bool is_usable(const Heap* heap) {
  return heap->usable_by.load(kAcquire) == thread_state.id;
}

bool may_end(const Heap* heap) {
  return is_usable(heap) ? !heap->is_backing : heap->usable_by.load(kAcquire) == Heap::kWhoeverEndsIt;
}

void delete_heap(Heap* heap) {
  XI_ASSERT(may_end(heap));
  unlink(heap);
  while (Page* const page = take_first_page(heap)) {
    page->exclusive = false;
    // What lies in an exclusive arena is never another heap's to allocate from.
    page->closed = page->arena != nullptr && page->arena->exclusive;
    page->tag = 0;
    if (thread_state.backing != nullptr) {
      thread_state.backing->attach(page);
    } else {
      Heap::detach(page);
    }
    settle(page, thread_state.backing);
  }
  give_heap(heap);
}

void destroy_heap(Heap* heap) {
  XI_ASSERT(may_end(heap));
  if (!heap->allow_destroy) return delete_heap(heap);
  unlink(heap);
  while (Page* const page = take_first_page(heap)) {
    page->collect_thread_free();
    for (; page->used > 0; --page->used) count_block(page->block_size, -1);
    end_page(page);
  }
  give_heap(heap);
}

void orphan_heap(Heap* heap) {
  heap->thread = ThreadId::kNone;
  heap->next_of_thread = nullptr;
  heap->state = HeapState::kOrphaned;
  heap->usable_by.store(Heap::kWhoeverEndsIt, kRelease);
}

}  // namespace xi
