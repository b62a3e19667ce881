// Allocation: the fast path, which is a load of the thread's heap, one of the page, and a pop. No call, no atomics.
#pragma once

#include "allocator/heap/thread_heap.h"

namespace xi {

// `zero`: all of the block but its first word is known to be zero.
struct Allocation {
  void* block;
  bool zero;
};

// The page that the fast path takes a block from, for size <= kDirectMax; its `free` may be null.
inline Page* direct_page(size_t size) {
  return thread_state.heap->direct[(size + 7) / 8];
}

// The page to try for larger sizes, up to kLargeBlockMax; empty_page when the bin has none.
inline Page* queued_page(size_t size) {
  Page* const page = thread_state.heap->queues[Bin::of_size(size).index()].first();
  return page != nullptr ? page : const_cast<Page*>(&empty_page);
}

// Everything that needs another page, or a look at what other threads freed; the block is null when there is no
// memory. size <= kMaxRequest.
Allocation allocate_slow(size_t size);

// A block at a multiple of `alignment`, a power of two, which is larger than a slice. size <= kMaxRequest.
Allocation allocate_over_aligned(size_t size, size_t alignment);

// Any size, without errno.
inline Allocation allocate(size_t size) {
  if (__builtin_expect(size > kLargeBlockMax, 0)) {
    return size > kMaxRequest ? Allocation{nullptr, false} : allocate_slow(size);
  }
  Page* const page = size <= kDirectMax ? direct_page(size) : queued_page(size);
  if (page->free == nullptr) {
    if (page->local_free == nullptr) return allocate_slow(size);
    // A program that never needs the slow path for its blocks' sake still passes there now and then: see tick.h.
    if (__builtin_expect(--thread_state.heap->until_tick == 0, 0)) return allocate_slow(size);
    page->take_local_free();
  }
  const bool zero = page->free_is_zero;
  return {page->pop(), zero};
}

}  // namespace xi
