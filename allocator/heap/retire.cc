#include "allocator/heap/retire.h"

#include "allocator/base/assert.h"
#include "allocator/heap/page_source.h"
#include "allocator/support/options.h"

namespace xi {

namespace {

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
  const auto ticks = static_cast<uint8_t>(options.retire_ticks);
  if (ticks == 0) {
    end_queued_page(heap, page);
    return;
  }
  if (heap->retired_count == Heap::kMaxRetired) {
    Page* const oldest = heap->retired[0];
    drop(heap, 0);
    if (oldest->used == 0) end_queued_page(heap, oldest);
  }
  page->retire_ticks = ticks;
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
