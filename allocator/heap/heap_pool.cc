#include "allocator/heap/heap_pool.h"

#include <new>

#include "allocator/base/assert.h"
#include "allocator/os/memory.h"
#include "allocator/support/statistics.h"

namespace xi {

constinit Heap main_orphans(HeapState::kOrphans);

namespace {

struct HeapPool {
  Lock lock;
  Heap* all = &main_orphans;
  Heap* unused = nullptr;
  char* fresh = nullptr;  // memory that no struct was made in yet
  char* fresh_end = nullptr;
  Atomic<uint64_t> last_thread_id;
};
constinit HeapPool pool;

constexpr size_t kHeapStride = align_up(sizeof(Heap), 64);
constexpr size_t kChunk = kSliceSize;
static_assert(kHeapStride <= kChunk);

Heap* make_heap() {
  if (static_cast<size_t>(pool.fresh_end - pool.fresh) < kHeapStride) {
    void* memory = nullptr;
    if (os::map(kChunk, kSliceSize, os::Purpose::kMetadata, &memory) != 0) return nullptr;
    pool.fresh = static_cast<char*>(memory);
    pool.fresh_end = pool.fresh + kChunk;
  }
  os::will_use(address_of(pool.fresh), sizeof(Heap));
  Heap* const heap = new (pool.fresh) Heap;
  pool.fresh += kHeapStride;
  heap->next_heap = pool.all;
  pool.all = heap;
  return heap;
}

// With the pool locked.
Heap* take_struct(HeapState state, uint8_t subprocess) {
  Heap* heap = pool.unused;
  if (heap != nullptr) {
    pool.unused = heap->next_unused;
  } else {
    heap = make_heap();
    if (heap == nullptr) return nullptr;
  }
  XI_ASSERT(heap->pages.empty() && heap->retired_count == 0);
  heap->state = state;
  heap->subprocess = subprocess;
  return heap;
}

}  // namespace

Heap* take_orphans(uint8_t subprocess) {
  LockGuard guard(pool.lock);
  return take_struct(HeapState::kOrphans, subprocess);
}

Heap* take_heap(ThreadId thread, bool is_backing, uint8_t subprocess) {
  LockGuard guard(pool.lock);
  Heap* const heap = take_struct(HeapState::kLive, subprocess);
  if (heap == nullptr) return nullptr;
  heap->thread = thread;
  heap->is_backing = is_backing;
  heap->next_of_thread = nullptr;
  heap->until_tick = 1;
  heap->tick_every = 1;
  heap->ticked_at = 0;
  heap->purge_at = 0;
  heap->arena = nullptr;
  heap->tag = 0;
  heap->allow_destroy = true;
  heap->usable_by.store(thread, kRelaxed);
  heap->has_returned_pages.store(false, kRelaxed);
  statistics.heaps.add(1);
  return heap;
}

void give_heap(Heap* heap) {
  LockGuard guard(pool.lock);
  if (heap->state != HeapState::kOrphans) {
    statistics.heaps.add(-1);
    merge_statistics(heap);
    heap->thread = ThreadId::kNone;
    heap->usable_by.store(ThreadId::kNone, kRelaxed);
  }
  heap->state = HeapState::kUnused;
  heap->next_unused = pool.unused;
  pool.unused = heap;
}

void orphan_heap(Heap* heap) {
  LockGuard guard(pool.lock);
  heap->thread = ThreadId::kNone;
  heap->next_of_thread = nullptr;
  heap->state = HeapState::kOrphaned;
  heap->usable_by.store(Heap::kWhoeverEndsIt, kRelease);
}

bool is_orphaned(const Heap* heap, uint8_t subprocess) {
  LockGuard guard(pool.lock);
  return heap->state == HeapState::kOrphaned && heap->subprocess == subprocess;
}

bool merge_heaps_into_main(uint8_t subprocess) {
  LockGuard guard(pool.lock);
  for (const Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) {
    if (heap->state == HeapState::kLive && heap->subprocess == subprocess) return false;
  }
  for (Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) {
    if (heap->state == HeapState::kOrphaned && heap->subprocess == subprocess) heap->subprocess = 0;
  }
  return true;
}

void merge_statistics(Heap* heap) {
  statistics.slow_paths.add(heap->slow_paths.get());
  heap->slow_paths.reset();
}

int64_t unmerged_slow_paths() {
  LockGuard guard(pool.lock);
  int64_t sum = 0;
  for (const Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) sum += heap->slow_paths.get();
  return sum;
}

ThreadId new_thread_id() {
  return ThreadId{pool.last_thread_id.fetch_add(8, kRelaxed) + 8};
}

Heap* first_heap() {
  LockGuard guard(pool.lock);
  return pool.all;
}

void lock_heaps() {
  pool.lock.lock();
  // Lists of orphans last: a thread that ends holds its heap's lock when it wants theirs.
  for (const bool orphans : {false, true}) {
    for (Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) {
      if ((heap->state == HeapState::kOrphans) == orphans) heap->pages_lock.lock();
    }
  }
}

void unlock_heaps() {
  for (Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) heap->pages_lock.unlock();
  pool.lock.unlock();
}

void mark_vanished_heaps(ThreadId survivor) {
  for (Heap* heap = pool.all; heap != nullptr; heap = heap->next_heap) {
    if (heap->thread == survivor || heap->state != HeapState::kLive) continue;
    heap->usable_by.store(ThreadId::kNone, kRelaxed);
    heap->state = HeapState::kVanished;
    statistics.vanished_threads.add(1);
  }
}

void reset_heap_pool() {
  main_orphans.pages = {};
  pool.all = &main_orphans;
  pool.unused = nullptr;
  pool.fresh = nullptr;
  pool.fresh_end = nullptr;
  pool.last_thread_id.store(0, kRelaxed);
}

}  // namespace xi
