#include "allocator/heap/first_class.h"

#include "allocator/base/assert.h"
#include "allocator/base/start.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/page_source.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/heap/watch.h"

namespace xi {

namespace {

void unlink(Heap* heap) {
  ThreadState& state = thread_state;
  if (heap->state != HeapState::kLive) return;
  Heap* before = state.backing;
  while (before->next_of_thread != heap) before = before->next_of_thread;
  before->next_of_thread = heap->next_of_thread;
  if (state.chosen == heap) {
    state.chosen = state.backing;
    state.use(state.chosen);
  }
}

}  // namespace

Heap* new_heap(const HeapWish& wish) {
  if (!thread_state.has_heap() && !start_thread()) return nullptr;
  Heap* const heap = take_heap(thread_state.id, false, thread_state.backing->subprocess);
  if (heap == nullptr) return nullptr;
  heap->arena = wish.arena;
  heap->tag = wish.tag;
  heap->allow_destroy = wish.allow_destroy;
  begin_watch(heap);
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
    Heap* const heir = thread_state.backing != nullptr ? thread_state.backing : &main_orphans;
    page->subprocess = heir->subprocess;
    heir->attach(page);
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

}  // namespace xi
