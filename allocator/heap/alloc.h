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
inline Page* direct_page(size_t size) { return thread_state.heap->direct[(size + 7) / 8]; }

// Everything that the fast path cannot do; the block is null when there is no memory. size <= kMaxRequest.
Allocation allocate_slow(size_t size);

// A block at a multiple of `alignment`, a power of two, which is larger than a slice. size <= kMaxRequest.
Allocation allocate_over_aligned(size_t size, size_t alignment);

// Any size, without errno: for callers for which a few instructions do not count.
inline Allocation allocate(size_t size) {
  if (size <= kDirectMax) {
    Page* const page = direct_page(size);
    if (__builtin_expect(page->free != nullptr, 1)) {
      const bool zero = page->free_is_zero;
      return {page->pop(), zero};
    }
  } else if (size > kMaxRequest) {
    return {nullptr, false};
  }
  return allocate_slow(size);
}

}  // namespace xi
