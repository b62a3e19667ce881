#include "allocator/heap/retire.h"

#include "allocator/base/assert.h"
#include "allocator/heap/page_source.h"

namespace xi {

namespace {

// So many slow paths of its heap does an empty page survive.
constexpr uint8_t kRetireTicks = 16;

void drop(Heap* heap, size_t index) {
  heap->retired[index]->retire_ticks = 0;
  for (size_t i = index + 1; i < heap->retired_count; ++i) heap->retired[i - 1] = heap->retired[i];
  --heap->retired_count;
}

void end_queued_page(Heap* heap, Page* page) {
  heap->dequeue(page);
  page->owner.store(ThreadId::kNone, kRelaxed);
  end_page(page);
}

}  // namespace

void retire(Heap* heap, Page* page) {
  XI_ASSERT(page->in_queue && page->used == 0 && page->retire_ticks == 0);
  if (heap->retired_count == Heap::kMaxRetired) {
    Page* const oldest = heap->retired[0];
    drop(heap, 0);
    if (oldest->used == 0) end_queued_page(heap, oldest);
  }
  page->retire_ticks = kRetireTicks;
  heap->retired[heap->retired_count++] = page;
}

void unretire(Heap* heap, Page* page) {
  if (page->retire_ticks == 0) return;
  size_t index = 0;
  while (heap->retired[index] != page) ++index;
  drop(heap, index);
}

void age_retired(Heap* heap, bool all) {
  for (size_t i = heap->retired_count; i > 0; --i) {
    Page* const page = heap->retired[i - 1];
    if (page->used > 0) {
      drop(heap, i - 1);
    } else if (all || --page->retire_ticks == 0) {
      drop(heap, i - 1);
      end_queued_page(heap, page);
    }
  }
}

}  // namespace xi
