// A heap: what one thread allocates from. Only its own thread touches it, but for the list of all its pages, which has
// a lock, since pages also die and change hands on other threads.
#pragma once

#include "allocator/base/lock.h"
#include "allocator/page/page.h"
#include "allocator/page/page_queue.h"

namespace xi {

inline constexpr size_t kDirectEntries = kDirectMax / 8 + 1;

// Stands for "no page" in the direct table, so that the fast path needs no test: it has no free block.
extern const Page empty_page;

enum class HeapState : uint8_t {
  kUnused,    // in the pool
  kLive,      // a thread's
  kOrphaned,  // its thread has ended, and left it: its blocks live until someone ends it
  kVanished,  // its thread did not survive a fork: its pages take frees, and nothing else happens to it
  kOrphans,   // no heap, but the list of the pages that the ended threads of a subprocess have left
};

struct Heap {
  static constexpr size_t kMaxRetired = 8;

  // The page to try first for a request of (size + 7) / 8 words: the first page of that bin's queue, or empty_page.
  Page* direct[kDirectEntries];
  PageQueue queues[kBinCount];
  ThreadId thread = ThreadId::kNone;
  HeapState state = HeapState::kUnused;
  uint8_t subprocess = 0;  // of its thread; changed under the lock of all heaps

  // Empty pages that are kept for a while, in case their bin is used again: oldest first.
  // False for a heap that a program has made: its pages hold its blocks only, so that it can be destroyed.
  bool is_backing = true;
  Heap* next_of_thread = nullptr;
  // For other threads, which may ask at any time whose it is: its thread; kNone when it is nobody's, or that vanished.
  static constexpr ThreadId kWhoeverEndsIt{3};  // its thread has ended
  Atomic<ThreadId> usable_by;
  // Others have freed blocks of its full pages, which only it may use again.
  Atomic<bool> has_returned_pages;

  // Free lists that are left until it is time to look at the clock (tick.h), which a slow path does at 0. It counts as
  // several lists, since it costs as much. (One instruction takes one away and tests for 0.)
  uint64_t until_tick = 1;
  static constexpr uint64_t kSlowPathCounts = 8;
  uint64_t tick_every = 1;
  uint64_t ticked_at = 0;  // on the clock
  uint64_t purge_at = 0;   // on the clock, for all heaps of its thread when it is their first; 0: not known yet
  // Where all of its pages come from; null: from any arena that is not exclusive.
  Arena* arena = nullptr;
  // What watch.h does: its blocks are looked at one by one; each `guard_rate`-th between these sizes is guarded.
  bool is_watched = false;
  size_t guard_rate = 0, guard_min = 0, guard_max = 0;
  size_t until_guard = 0;    // blocks
  int64_t until_sample = 0;  // bytes, of the heap profile; 0: not drawn yet
  uint64_t random = 1;
  uint8_t tag = 0;            // as the program says; its pages have it too
  bool allow_destroy = true;  // false: the program destroys it as it deletes it

  uint8_t retired_count = 0;
  Page* retired[kMaxRetired] = {};

  Counter slow_paths;             // written by its thread; summed up when the heap ends
  bool in_deferred_free = false;  // its thread is inside the program's function
  uint64_t collected_epoch = 0;   // the last request to collect (collect.h) that this heap has followed

  Lock pages_lock;
  HeapPageList pages;  // all whose `heap` is this one: in a queue, full, or with their bit set

  Heap* next_heap = nullptr;    // all structs that were ever made
  Heap* next_unused = nullptr;  // the pool

  constexpr explicit Heap(HeapState initial = HeapState::kUnused) : state(initial) {
    for (Page*& entry : direct) entry = const_cast<Page*>(&empty_page);
  }

  // Puts an owned page into the queue of its bin, or takes it out. The page must be this heap's.
  void enqueue_front(Page* page);
  void enqueue_back(Page* page);
  void dequeue(Page* page);
  void move_to_front(Page* page);

  // Makes `page` one of this heap's pages, whose lists and struct the caller owns; takes it out of its heap, if any.
  void attach(Page* page);
  static void detach(Page* page);
  // All pages go to another list: what is in no queue, and may be claimed by others meanwhile.
  void leave_pages_to(Heap* heirs);

 private:
  void update_direct(Bin bin);
};

// The heap of a thread that has none yet: every request falls through to the slow path. Never written.
extern const Heap empty_heap;
// Stands in the place of a heap that is watched (watch.h), with the same effect. Never written.
extern const Heap watching_heap;

}  // namespace xi
