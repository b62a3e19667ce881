#include "allocator/arena/arena_set.h"
#include "allocator/check/check.h"
#include "allocator/os/seam.h"
#include "allocator/os/unmap_later.h"
#include "allocator/page_map/page_map.h"

namespace xi {

namespace {

// Every slice that is taken belongs to one page, and each page's slices are taken.
void check_slices(const Arena* arena, CheckReport& report, Census& census) {
  const Bitmap& free = arena->free;
  for (size_t slice = free.first_clear(0, free.size()); slice != Bitmap::kNone;) {
    const auto* const page = static_cast<const Page*>(arena->page_meta(slice));
    const uintptr_t address = arena->address_of_slice(slice);
    size_t next = slice + 1;
    if (report.expect(page->block_size != 0 && page->start == address && page->arena == arena,
                      "a slice is taken and no page begins there", address)) {
      next = slice + page->slices;
      if (!report.expect(next <= arena->slice_count && free.all_clear(slice, page->slices),
                         "a page has slices that are free", address)) {
        return;
      }
      if (page->heap.load(kRelaxed) != nullptr) ++census.pages_of_heaps;
      if (page->is_abandoned) ++census.abandoned[page->bin.index()];
      check_page(page, report, census);
    }
    slice = next < free.size() ? free.first_clear(next, free.size()) : Bitmap::kNone;
  }
}

// Slices that were in use and are free must not lead to a page any more; the others were never entered.
void check_free_slices(const Arena* arena, CheckReport& report) {
  const size_t end = arena->slice_count;
  for (size_t slice = arena->dirty.first_set(0, end); slice != Bitmap::kNone;
       slice = arena->dirty.first_set(slice + 1, end)) {
    if (!arena->free.get(slice)) continue;
    const uintptr_t address = arena->address_of_slice(slice);
    report.expect(page_map::find(reinterpret_cast<void*>(address)) == nullptr,
                  "the page map has an entry for a free slice", address);
  }
}

}  // namespace

void check_arenas(CheckReport& report, Census& census) {
  // What the system has handed out for blocks is arenas, mappings of huge blocks, and what it has refused to take back.
  report.expect(os::seam_footprint().mapped_bytes == mapped_bytes() + os::block_bytes_waiting(),
                "address space was mapped that nobody knows of, or unmapped that somebody uses", 0);
  for (size_t i = 0; const Arena* const arena = arena_at(i); ++i) {
    report.expect(arena->is_valid(), "an arena's bitmaps contradict each other", arena->base);
    check_slices(arena, report, census);
    check_free_slices(arena, report);
  }
}

}  // namespace xi
