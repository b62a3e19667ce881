#include "allocator/process/process.h"

#include "allocator/base/start.h"
#include "allocator/heap/first_class.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/subprocess.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/heap/watch.h"
#include "allocator/os/thread_key.h"
#include "allocator/process/background.h"
#include "allocator/support/options.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/arena/arena_set.h"
#include "allocator/heap/collect.h"
#include "allocator/heap/deferred_free.h"
#include "allocator/heap/profile.h"
#include "allocator/heap/tick.h"
#include "allocator/os/clock.h"
#include "allocator/os/seam.h"
#include "allocator/os/unmap_later.h"
#include "allocator/page/page_pool.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/output.h"
#include "allocator/support/report.h"
#include "allocator/support/statistics.h"
#endif

namespace xi {

namespace {

struct Process {
  Lock lock;
  Atomic<bool> started;
  Atomic<bool> has_thread_key;
  Atomic<bool> has_fork_handlers;
};
constinit Process process;

// Without a key a thread that ends leaves its pages behind as its own: memory is lost, nothing else. The next thread
// that starts tries again.
bool ensure_thread_key() {
  if (process.has_thread_key.load(kAcquire)) return true;
  LockGuard guard(process.lock);
  if (process.has_thread_key.load(kRelaxed)) return true;
  if (os::create_thread_key(&end_thread) != 0) return false;
  process.has_thread_key.store(true, kRelease);
  return true;
}

void ensure_fork_handlers() {
  if (process.has_fork_handlers.load(kRelaxed) || process.has_fork_handlers.exchange(true, kRelaxed)) return;
  os::register_fork_handlers(&before_fork, &after_fork_in_parent, &after_fork_in_child);
}

bool start_this_thread() {
  start_process();
  ThreadState& state = thread_state;
  if (state.id == kUnknownThread) state.id = new_thread_id();
  Heap* const heap = take_heap(state.id, true, state.subprocess);
  if (heap == nullptr) return false;
  begin_watch(heap);
  state.chosen = state.backing = heap;
  state.use(heap);
  register_thread_state();
  // From here on this thread can allocate, as the C library may when it notes what follows.
  if (ensure_thread_key()) {
    os::arm_thread_exit();
  } else {
    // Nobody will say when it ends, and its state ends with it.
    unregister_thread_state();
  }
  ensure_fork_handlers();
  return true;
}

// Before other libraries' constructors where possible, for the sake of the order of the fork handlers; and before there
// is a second thread, since one that took a lock on its way to register them would leave it held in a child.
[[gnu::constructor(101)]] void start_early() {
#if !defined(XIMALLOC_TEST_SEAMS)
  start_process();
#endif
  ensure_fork_handlers();
#if !defined(XIMALLOC_TEST_SEAMS)
  if (options.background_purge != 0) follow_background_option();
  if (options.profile_interval != 0) prepare_profile();
#endif
}

}  // namespace

constinit bool (*start_thread)() = &start_this_thread;

void start_process() {
  if (process.started.load(kAcquire)) return;
  LockGuard guard(process.lock);
  if (process.started.load(kRelaxed)) return;
  load_options();
  process.started.store(true, kRelease);
}

void lock_process() {
  process.lock.lock();
}
void unlock_process() {
  process.lock.unlock();
}

void end_thread() {
  ThreadState& state = thread_state;
  if (!state.has_heap()) return;
  Heap* const backing = state.backing;
  unregister_thread_state();
  state.chosen = const_cast<Heap*>(&empty_heap);
  state.use(state.chosen);
  state.backing = nullptr;
  for (Heap* heap = backing; heap != nullptr;) {
    Heap* const next = heap->next_of_thread;
    for (PageQueue& queue : heap->queues) {
      while (Page* const page = queue.first()) release_page(heap, page);
    }
    if (!heap->is_backing) orphan_heap(heap);
    heap = next;
  }
  state.subprocess = 0;
  // What is left in the list is in no queue, without an owner, and may be claimed by others right now.
  backing->leave_pages_to(orphans_of(backing->subprocess));
  give_heap(backing);
}

#if defined(XIMALLOC_TEST_SEAMS)
void reset_process() {
  reset_thread_states();
  reset_heap_pool();
  reset_subprocesses();
  reset_ownership();
  reset_collect();
  reset_tick();
  reset_page_pool();
  reset_profile();
  page_map::reset();
  reset_arenas();
  reset_statistics();
  reset_warnings();
  reset_options();
  set_output(nullptr, nullptr);
  set_deferred_free(nullptr, nullptr);
  os::reset_unmaps();
  os::reset_seam();
  os::reset_clock();
  process.started.store(false, kRelaxed);
  process.has_thread_key.store(false, kRelaxed);
  process.has_fork_handlers.store(false, kRelaxed);
}
#endif

}  // namespace xi
