#include "allocator/process/process.h"

#include "allocator/base/start.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/os/thread_key.h"
#include "allocator/support/options.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/arena/arena_set.h"
#include "allocator/heap/collect.h"
#include "allocator/os/clock.h"
#include "allocator/os/seam.h"
#include "allocator/page/page_pool.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/report.h"
#include "allocator/support/statistics.h"
#endif

namespace xi {

namespace {

struct Process {
  Lock lock;
  Atomic<bool> started;
  Atomic<bool> has_callbacks;
};
constinit Process process;

// Thread exit and fork. After the caller has its heap, since the C library may allocate when it notes the callbacks.
void install_callbacks() {
  if (process.has_callbacks.load(kRelaxed) || process.has_callbacks.exchange(true, kRelaxed)) return;
  // Without a key threads leave their pages behind as their own; memory is lost, nothing else.
  os::create_thread_key(&end_thread);
  os::register_fork_handlers(&before_fork, &after_fork_in_parent, &after_fork_in_child);
}

bool start_this_thread() {
  start_process();
  ThreadState& state = thread_state;
  if (state.id == kUnknownThread) state.id = new_thread_id();
  Heap* const heap = take_heap(state.id);
  if (heap == nullptr) return false;
  state.heap = heap;
  register_thread_state();
  install_callbacks();
  os::arm_thread_exit();
  return true;
}

#if !defined(XIMALLOC_TEST_SEAMS)
// Before other libraries' constructors where possible, for the sake of the order of the fork handlers.
[[gnu::constructor(101)]] void start_early() {
  start_process();
  install_callbacks();
}
#endif

}  // namespace

constinit bool (*start_thread)() = &start_this_thread;

void start_process() {
  if (process.started.load(kAcquire)) return;
  LockGuard guard(process.lock);
  if (process.started.load(kRelaxed)) return;
  load_options();
  process.started.store(true, kRelease);
}

void end_thread() {
  ThreadState& state = thread_state;
  if (!state.has_heap()) return;
  Heap* const heap = state.heap;
  for (PageQueue& queue : heap->queues) {
    while (Page* const page = queue.first()) release_page(heap, page);
  }
  // What is left in the list is full, without an owner, and may be claimed by others right now.
  heap->detach_all();
  unregister_thread_state();
  state.heap = const_cast<Heap*>(&empty_heap);
  give_heap(heap);
}

#if defined(XIMALLOC_TEST_SEAMS)
void reset_process() {
  reset_thread_states();
  reset_heap_pool();
  reset_ownership();
  reset_collect();
  reset_page_pool();
  page_map::reset();
  reset_arenas();
  reset_statistics();
  reset_warnings();
  options = Options{};
  os::reset_seam();
  os::reset_clock();
  process.started.store(false, kRelaxed);
  process.has_callbacks.store(false, kRelaxed);
}
#endif

}  // namespace xi
