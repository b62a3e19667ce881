#include "allocator/arena/arena_set.h"
#include "allocator/check/check.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/profile.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

constexpr size_t kListLimit = size_t{1} << 32;

void check_direct(const Heap* heap, CheckReport& report) {
  for (size_t entry = 0; entry < kDirectEntries; ++entry) {
    const Page* const first = heap->queues[Bin::of_size(entry * 8).index()].first();
    const Page* const expected = first != nullptr ? first : &empty_page;
    if (!report.expect(heap->direct[entry] == expected, "a heap's direct table does not name the first page of the bin",
                       address_of(heap))) {
      return;
    }
  }
}

void check_queues(const Heap* heap, CheckReport& report) {
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    const PageQueue& queue = heap->queues[bin];
    if (!report.expect(queue.is_valid(kListLimit), "a queue of pages is not well linked", address_of(heap))) continue;
    for (const Page* page = queue.first(); page != nullptr; page = page->queue_next) {
      report.expect(page->in_queue && page->bin == Bin(bin), "a page is in the queue of another bin", page->start);
      report.expect(page->owner_id() == heap->thread, "a page in a queue is another thread's", page->start);
      report.expect(page->heap.load(kRelaxed) == heap, "a page in a queue is another heap's", page->start);
    }
  }
}

void check_retired(const Heap* heap, CheckReport& report) {
  report.expect(heap->retired_count <= Heap::kMaxRetired, "a heap has retired too many pages", address_of(heap));
  for (size_t i = 0; i < heap->retired_count && i < Heap::kMaxRetired; ++i) {
    const Page* const page = heap->retired[i];
    report.expect(page->retire_ticks > 0 && page->heap.load(kRelaxed) == heap, "a retired page is not the heap's",
                  page->start);
  }
}

// Pages in the list that lie in an arena, which the census has counted too.
size_t check_page_list(const Heap* heap, CheckReport& report, Census& census) {
  if (!report.expect(heap->pages.is_valid(kListLimit), "a heap's list of pages is not well linked", address_of(heap)))
    return 0;
  size_t in_arenas = 0;
  for (const Page* page = heap->pages.first(); page != nullptr; page = page->heap_next) {
    report.expect(page->heap.load(kRelaxed) == heap, "a page is in the list of another heap", page->start);
    if (page->arena != nullptr) {
      ++in_arenas;
    } else {
      check_page(page, report, census);
    }
  }
  return in_arenas;
}

void check_orphans(const Heap* list, CheckReport& report) {
  for (const Page* page = list->pages.first(); page != nullptr; page = page->heap_next) {
    report.expect(!page->in_queue && !page->exclusive, "a page that an ended thread has left is somebody's",
                  page->start);
    report.expect(page->subprocess == list->subprocess, "a page of an ended thread is in another subprocess",
                  page->start);
  }
}

// Pages are known by the id of their thread. Only a fork could make it come again, and every pair of heaps is too many
// to look at otherwise.
void check_thread_ids(CheckReport& report) {
  if (statistics.vanished_threads.get() == 0) return;
  const auto has_id = [](const Heap* heap) { return heap->is_backing && heap->state != HeapState::kUnused; };
  for (const Heap* heap = first_heap(); heap != nullptr; heap = heap->next_heap) {
    for (const Heap* other = heap->next_heap; has_id(heap) && other != nullptr; other = other->next_heap) {
      report.expect(!has_id(other) || heap->thread != other->thread, "two threads have the same id", address_of(heap));
    }
  }
}

}  // namespace

void check_heaps(CheckReport& report, Census& census) {
  size_t listed = 0, in_use = 0;
  for (const Heap* heap = first_heap(); heap != nullptr; heap = heap->next_heap) {
    listed += check_page_list(heap, report, census);
    if (heap->state == HeapState::kOrphans) {
      check_orphans(heap, report);
      continue;
    }
    if (heap->state != HeapState::kUnused) ++in_use;
    if (heap->state == HeapState::kVanished) continue;
    check_queues(heap, report);
    check_direct(heap, report);
    check_retired(heap, report);
    report.expect(heap->state != HeapState::kUnused || heap->pages.empty(), "an unused heap has pages",
                  address_of(heap));
  }
  check_thread_ids(report);
  report.expect(static_cast<int64_t>(in_use) == statistics.heaps.get(),
                "the statistic of heaps differs from their number", in_use);
  report.expect(listed == census.pages_of_heaps, "pages that name a heap and the heaps' lists differ in number",
                listed);
}

namespace {

void expect_figure(CheckReport& report, size_t counted, const Figure& figure, const char* what) {
  report.expect(static_cast<int64_t>(counted) == figure.get(), what, counted);
}

void check_statistics(CheckReport& report, const Census& census) {
  size_t committed = 0, arenas = 0, abandoned = 0;
  for (; const Arena* const arena = arena_at(arenas); ++arenas)
    committed += arena->committed.population() << kSliceShift;
  for (size_t pages : census.abandoned) abandoned += pages;
  expect_figure(report, committed, statistics.committed_bytes,
                "the statistic of committed bytes differs from the bitmaps");
  expect_figure(report, arenas, statistics.arenas, "the statistic of arenas differs from their number");
  expect_figure(report, mapped_bytes(), statistics.reserved_bytes, "the statistic of reserved bytes is wrong");
  expect_figure(report, abandoned, statistics.abandoned_pages,
                "the statistic of abandoned pages differs from the bits");
  for (const StatisticRow& row : statistic_table) {
    const Figure& figure = statistics.*row.figure;
    report.expect(figure.get() >= 0 && figure.peak() >= figure.get() && figure.total() >= figure.peak(),
                  "a statistic is negative, or above its peak or its total", static_cast<uintptr_t>(figure.get()));
  }
  // What a thread was about to count when it vanished in a fork is lost.
  if (statistics.vanished_threads.get() != 0) return;
  size_t samples = 0;
  ProfileSample sample;
  for (size_t at = 0; next_sample(&at, &sample);) ++samples;
  report.expect(samples == census.samples, "the heap profile has other samples than the pages say", samples);
  expect_figure(report, census.pages, statistics.pages, "the statistic of pages differs from their number");
  expect_figure(report, census.huge_pages, statistics.huge_pages, "the statistic of huge pages is wrong");
  expect_figure(report, census.live_blocks, statistics.live_blocks,
                "the statistic of live blocks differs from the pages");
  expect_figure(report, census.live_bytes, statistics.live_bytes, "the statistic of live bytes differs from the pages");
}

}  // namespace

bool check_all(CheckReport report) {
  Census census;
  check_arenas(report, census);
  check_heaps(report, census);
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    report.expect(census.abandoned[bin] == abandoned_pages(Bin(bin)), "the count of abandoned pages of a bin is wrong",
                  Bin(bin).block_size());
  }
  check_statistics(report, census);
  return report.clean();
}

}  // namespace xi
