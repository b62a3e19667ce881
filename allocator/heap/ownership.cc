#include "allocator/heap/ownership.h"

#include "allocator/arena/arena_set.h"
#include "allocator/base/assert.h"
#include "allocator/base/patience.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/page_source.h"
#include "allocator/heap/retire.h"
#include "allocator/heap/subprocess.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page/page_purge.h"
#include "allocator/support/options.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

// Pages of each bin whose bit is set, of the main subprocess and of all others together: a search that finds 0 here is
// over. Counted up before a bit is set and down after it is cleared, so that it is never too small.
struct AbandonedCount {
  Atomic<size_t> of_main[kBinCount], of_others[kBinCount];
  Atomic<size_t>& of(uint8_t subprocess, size_t bin) { return subprocess == 0 ? of_main[bin] : of_others[bin]; }
};
constinit AbandonedCount abandoned_count;

void set_abandoned(Page* page, bool abandoned) {
  if (page->is_abandoned == abandoned) return;
  page->is_abandoned = abandoned;
  const size_t bin = page->bin.index();
  if (abandoned) {
    abandoned_count.of(page->subprocess, bin).fetch_add(1, kRelaxed);
    statistics.abandoned_pages.add(1);
    page->arena->set_abandoned(bin, page->first_slice(), true);
  } else {
    page->arena->set_abandoned(bin, page->first_slice(), false);
    abandoned_count.of(page->subprocess, bin).fetch_sub(1, kRelaxed);
    statistics.abandoned_pages.add(-1);
  }
}

// A heap looks at the pages of a bin only when it allocates from that bin. What a thread that does nothing but free
// took over without a limit would be lost: nobody allocates from it, and what others free in it is seen by nobody.
bool wants_another(const Heap* heap, Bin bin) {
  constexpr size_t kEnoughSlices = 4;
  size_t slices = 0;
  for (const Page* page = heap->queues[bin.index()].first(); page != nullptr; page = page->queue_next) {
    slices += page->slices;
    if (slices >= kEnoughSlices) return false;
  }
  return true;
}

// The heap that a page goes to which the thread of `backing` has claimed; null: it is to be released.
Heap* adopter(const Page* page, Heap* backing) {
  if (backing == nullptr || page->is_huge() || page->closed) return nullptr;
  Heap* const of_page = page->heap.load(kRelaxed);
  if (of_page == nullptr || of_page == orphans_of(page->subprocess)) {
    const bool may = page->subprocess == backing->subprocess && options.reclaim_on_free != 0;
    return may && has_room(page) && wants_another(backing, page->bin) ? backing : nullptr;
  }
  for (Heap* heap = backing; heap != nullptr; heap = heap->next_of_thread) {
    if (heap == of_page) return heap;
  }
  return nullptr;
}

// Tells the heap of an exclusive page, which the caller is about to release, that it can be used again. Its struct is
// there for ever, and nobody minds to be told in vain.
Heap* to_be_told(const Page* page) {
  return page->exclusive && has_room(page) ? page->heap.load(kRelaxed) : nullptr;
}

// Calls visit(page) for each page of the bin whose bit is set, that could be claimed, and that wanted(page) holds for,
// until it returns true.
template <class Wanted, class Visit>
bool each_abandoned(Bin bin, Wanted wanted, Visit visit) {
  for (size_t i = 0; Arena* const arena = arena_at(i); ++i) {
    const Bitmap& bits = arena->abandoned[bin.index()];
    for (size_t slice = bits.first_set(0, bits.size()); slice != Bitmap::kNone;
         slice = bits.first_set(slice + 1, bits.size())) {
      auto* const page = static_cast<Page*>(arena->page_meta(slice));
      if (!page->try_claim()) continue;
      // Since the bit was read, the page may have been ended, begun as another one, filled and released.
      if (!page->is_abandoned || page->bin != bin || !wanted(page)) {
        settle(page, nullptr);
      } else if (visit(page)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool has_room(const Page* page) {
  return !page->is_huge() && page->available() >= (page->reserved + 7) / 8;
}

void settle(Page* page, Heap* backing) {
  XI_ASSERT(!page->in_queue && page->retire_ticks == 0);
  Heap* told = nullptr;
  do {
    page->collect_thread_free();
    if (page->used == 0) {
      set_abandoned(page, false);
      end_page(page);
      return;
    }
    if (Heap* const heap = adopter(page, backing)) {
      adopt(heap, page);
      return;
    }
    set_abandoned(page, has_room(page) && !page->exclusive && !page->closed);
    told = to_be_told(page);
  } while (!page->try_release());
  // Now that the heap can claim it.
  if (told != nullptr) told->has_returned_pages.store(true, kRelease);
}

void release_page(Heap* heap, Page* page) {
  unretire(heap, page);
  heap->dequeue(page);
  page->set_owner(ThreadId::kNone);
  settle(page, nullptr);
}

void adopt(Heap* heap, Page* page) {
  set_abandoned(page, false);
  if (page->heap.load(kRelaxed) != heap) statistics.reclaimed_pages.add(1);
  heap->attach(page);
  page->set_owner(heap->thread);
  heap->enqueue_back(page);
  // A page comes back because blocks of it were freed, and so memory may soon be due that nobody uses again.
  heap->until_tick = 1;
  heap->tick_every = 1;
}

Page* reclaim(Heap* heap, Bin bin) {
  if (abandoned_count.of(heap->subprocess, bin.index()).load(kRelaxed) == 0) return nullptr;
  Page* found = nullptr;
  const auto is_ours = [heap](const Page* page) { return page->subprocess == heap->subprocess; };
  each_abandoned(bin, is_ours, [heap, &found](Page* page) {
    page->collect_thread_free();
    adopt(heap, page);
    heap->move_to_front(page);
    found = page;
    return true;
  });
  return found;
}

void take_returned_pages(Heap* heap) {
  if (heap->is_backing || !heap->has_returned_pages.load(kRelaxed)) return;
  heap->has_returned_pages.store(false, kRelaxed);
  constexpr size_t kAtOnce = 32;
  Page* claimed[kAtOnce];
  size_t count = 0;
  {
    // Held, so that no page of the list ends; what becomes of a page is decided without it.
    LockGuard guard(heap->pages_lock);
    for (Page* page = heap->pages.first(); page != nullptr && count < kAtOnce; page = page->heap_next) {
      if (!page->in_queue && !page->is_huge() && page->try_claim()) claimed[count++] = page;
    }
  }
  if (count == kAtOnce) heap->has_returned_pages.store(true, kRelaxed);
  for (size_t i = 0; i < count; ++i) {
    claimed[i]->collect_thread_free();
    settle(claimed[i], has_room(claimed[i]) ? thread_state.backing : nullptr);
  }
}

void collect_abandoned(bool purge) {
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    if (abandoned_pages(Bin(bin)) == 0) continue;
    const auto any = [](const Page*) { return true; };
    each_abandoned(Bin(bin), any, [purge](Page* page) {
      if (purge) {
        page->collect_thread_free();
        if (page->used > 0 && page->used < page->used_at_purge) PagePurge().add(page);
      }
      settle(page, nullptr);
      return false;
    });
  }
}

// A page in no queue may be claimed by another thread for the moment that this needs to see that the page is not what
// it looks for.
Page* take_first_page(Heap* heap) {
  for (Patience patience;;) {
    {
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
    }
    if (patience.wait()) continue;
    LockGuard guard(heap->pages_lock);
    Page* const page = heap->pages.first();
    if (page == nullptr || page->in_queue) continue;
    heap->pages.remove(page);
    page->heap.store(nullptr, kRelease);
  }
}

void give_to_main(Page* page) {
  set_abandoned(page, false);
  page->subprocess = 0;
  main_orphans.attach(page);
  settle(page, nullptr);
}

size_t abandoned_pages(Bin bin) {
  return abandoned_count.of_main[bin.index()].load(kRelaxed) + abandoned_count.of_others[bin.index()].load(kRelaxed);
}

void reset_ownership() {
  for (Atomic<size_t>& count : abandoned_count.of_main) count.store(0, kRelaxed);
  for (Atomic<size_t>& count : abandoned_count.of_others) count.store(0, kRelaxed);
}

}  // namespace xi
