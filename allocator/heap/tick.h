// What has to be done now and then, whatever the program does: memory whose delay is over goes back to the system, also
// from inside of pages that live on. Nothing on the fast paths looks at a clock: a slow path does each time that a heap
// has used up some free lists, between one of a thread that idles and 512 of one that does nothing else.
#pragma once

#include "allocator/heap/heap.h"
#include "allocator/support/options.h"

namespace xi {

// `heap` is one of the calling thread's.
void tick(Heap* heap);

// What does not need a heap's thread: free slices whose delay is over, and abandoned pages. For any thread.
void purge_due();

// Whether the option allows to give back memory from inside of pages.
inline bool purges_pages() {
  return options.page_purge_delay >= 0;
}

void reset_tick();

}  // namespace xi
