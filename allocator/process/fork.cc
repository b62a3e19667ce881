// fork: the child has one thread, and every lock and every list must be in a state that it can use. Locks are taken in
// the order in which the layers stand, from the top: a thread inside a lower layer never waits for a higher one.
#include "allocator/arena/arena_set.h"
#include "allocator/base/patience.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/profile.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/os/unmap_later.h"
#include "allocator/page/page_pool.h"
#include "allocator/page_map/page_map.h"
#include "allocator/process/background.h"
#include "allocator/process/process.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/os/seam.h"
#endif

namespace xi {

namespace {

void unlock_all() {
#if defined(XIMALLOC_TEST_SEAMS)
  os::unlock_seam();
#endif
  os::unlock_unmaps();
  page_map::unlock();
  unlock_arenas();
  unlock_page_pool();
  unlock_profile();
  unlock_heaps();
  unlock_thread_states();
  unlock_process();
  release_background();
}

}  // namespace

void before_fork() {
  hold_background();
  lock_process();
  lock_thread_states();
  lock_heaps();
  lock_profile();
  lock_page_pool();
  lock_arenas();
  page_map::lock();
  os::lock_unmaps();
#if defined(XIMALLOC_TEST_SEAMS)
  os::lock_seam();
#endif
}

void after_fork_in_parent() {
  unlock_all();
}

// The other threads' heaps have lost their threads. Pages that they owned stay owned for ever: a free into one only
// pushes the block. Whatever they held between two steps (slices, a claimed page) is lost, and hurts nobody.
void after_fork_in_child() {
  threads_were_lost = true;
  forget_background();
  mark_vanished_heaps(thread_state.id);
  forget_other_thread_states();
  unlock_all();
}

}  // namespace xi
