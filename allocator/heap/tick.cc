#include "allocator/heap/tick.h"

#include "allocator/arena/arena_set.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/os/clock.h"
#include "allocator/page/page_purge.h"

namespace xi {

namespace {

constexpr uint64_t kSoon = 20;  // ms
constexpr uint64_t kMaxTickEvery = 512;

// When abandoned pages are looked at again, by whoever passes first; 0: not known yet.
constinit Atomic<uint64_t> abandoned_at;

// A page is worth a look when fewer of its blocks are used than at the last one; one that filled up meanwhile is
// looked at again as soon as that changes. What others have freed waits: to look would cost a shared cache line a page.
void purge_inside(Heap* heap) {
  PagePurge inside;
  for (PageQueue& queue : heap->queues) {
    for (Page* page = queue.first(); page != nullptr; page = page->queue_next) {
      if (page->used < page->used_at_purge) {
        inside.add(page);
      } else {
        page->used_at_purge = static_cast<uint16_t>(page->used);
      }
    }
  }
}

void purge_abandoned(uint64_t now, uint64_t delay) {
  uint64_t at = abandoned_at.load(kRelaxed);
  if (now < at || !abandoned_at.compare_exchange(at, now + delay + 1, kRelaxed)) return;
  if (at != 0) collect_abandoned(true);
}

}  // namespace

void tick(Heap* heap) {
  const uint64_t now = os::clock_ms();
  // A thread that uses up many lists a millisecond looks at the clock seldom, one that idles at every list. Which it
  // becomes is seen in time because frees of what it had let it look soon: adopt().
  const uint64_t since = now - heap->ticked_at;
  if (since > kSoon) {
    heap->tick_every = heap->tick_every * kSoon / since + 1;
  } else if (heap->tick_every < kMaxTickEvery) {
    heap->tick_every *= 2;
  }
  heap->ticked_at = now;
  heap->until_tick = heap->tick_every;
  purge_arenas(false);
  if (!purges_pages()) return;
  const auto delay = static_cast<uint64_t>(options.page_purge_delay);
  Heap* const backing = thread_state.backing;
  if (now < backing->purge_at) return;
  const bool is_known = backing->purge_at != 0;
  backing->purge_at = now + delay + 1;
  if (!is_known) return;
  for (Heap* each = backing; each != nullptr; each = each->next_of_thread) purge_inside(each);
  purge_abandoned(now, delay);
}

void purge_due() {
  purge_arenas(false);
  if (purges_pages()) purge_abandoned(os::clock_ms(), static_cast<uint64_t>(options.page_purge_delay));
}

void reset_tick() {
  abandoned_at.store(0, kRelaxed);
}

}  // namespace xi
