// The process's statistics, as text and as JSON, and what the kernel knows of it.
#include "allocator/support/statistics.h"

#include <cstring>

#include "allocator/heap/heap_pool.h"
#include "allocator/heap/subprocess.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/heap/visit.h"
#include "allocator/include/ximalloc.h"
#include "allocator/os/usage.h"
#include "allocator/support/line.h"
#include "allocator/support/output.h"

namespace xi {

namespace {

struct Numbers {
  int64_t now, peak, total;
};

// What heaps have counted and not merged yet is part of a figure that only grows.
Numbers numbers_of(const StatisticRow& row) {
  const Figure& figure = statistics.*row.figure;
  const int64_t unmerged = row.figure == &Statistics::slow_paths ? unmerged_slow_paths() : 0;
  return {figure.get() + unmerged, figure.peak() + unmerged, figure.total() + unmerged};
}

// What can be told without counting anything on the fast paths: the calling thread's heaps, and what ended threads of
// its subprocess have left, page by page.
struct Walked {
  int64_t blocks = 0, bytes = 0;
};

bool add_page(const VisitedPage& page, void*, void* sum) {
  auto* const walked = static_cast<Walked*>(sum);
  walked->blocks += static_cast<int64_t>(page.used);
  walked->bytes += static_cast<int64_t>(page.used * page.block_size);
  return true;
}

Walked walk() {
  Walked sum;
  const Heap* const backing = thread_state.backing;
  for (Heap* heap = thread_state.backing; heap != nullptr; heap = heap->next_of_thread) {
    visit_heap(heap, false, &add_page, &sum);
  }
  visit_abandoned(orphans_of(backing != nullptr ? backing->subprocess : 0), -1, false, &add_page, &sum);
  return sum;
}

// Gives out a row for each statistic, and for those that are walked for.
template <class Out>
void each_row(Out& out) {
  for (const StatisticRow& row : statistic_table) out.row(row.name, numbers_of(row));
  const Walked walked = walk();
  out.row("walked_blocks", {walked.blocks, walked.blocks, walked.blocks});
  out.row("walked_bytes", {walked.bytes, walked.bytes, walked.bytes});
}

// A text goes to where the caller wants it.
class Writer {
 public:
  Writer(xi_output_fun* out, void* argument) : out_(out), argument_(argument) {}
  void tell(const char* text) const { out_ != nullptr ? out_(text, argument_) : put(text); }
  void row(const char* name, const Numbers& numbers) const {
    Line line("");
    line.text(name);
    for (size_t width = strlen(name); width < 18; ++width) line.text(" ");
    tell(line.text(" now ")
             .signed_number(numbers.now)
             .text(", peak ")
             .signed_number(numbers.peak)
             .text(", total ")
             .signed_number(numbers.total)
             .text("\n")
             .c_str());
  }

 private:
  xi_output_fun* out_;
  void* argument_;
};

// Appends to a buffer of the caller, as much as there is room for, and counts what there would have been.
class Buffer {
 public:
  Buffer(char* text, size_t size) : text_(text), size_(size) {}
  Buffer& add(const char* part) {
    for (; *part != '\0'; ++part, ++length_) {
      if (length_ + 1 < size_) text_[length_] = *part;
    }
    return *this;
  }
  Buffer& add(int64_t value) { return add(Line("").signed_number(value).c_str()); }
  void row(const char* name, const Numbers& numbers) {
    add(",\"").add(name).add("\":{\"now\":").add(numbers.now).add(",\"peak\":").add(numbers.peak);
    add(",\"total\":").add(numbers.total).add("}");
  }
  // The length without the end of the string.
  size_t end() {
    if (size_ > 0) text_[length_ < size_ ? length_ : size_ - 1] = '\0';
    return length_;
  }

 private:
  char* text_;
  size_t size_;
  size_t length_ = 0;
};

}  // namespace

}  // namespace xi

void xi_stats_print_out(xi_output_fun* out, void* argument) noexcept {
  const xi::Writer writer(out, argument);
  xi::each_row(writer);
}

void xi_stats_print(void*) noexcept {
  xi_stats_print_out(nullptr, nullptr);
}

void xi_thread_stats_print_out(xi_output_fun* out, void* argument) noexcept {
  int64_t pages = 0, blocks = 0, bytes = 0, slow_paths = 0;
  if (xi::thread_state.has_heap()) {
    const xi::Heap* const heap = xi::thread_state.current;
    slow_paths = heap->slow_paths.get();
    for (const xi::PageQueue& queue : heap->queues) {
      for (xi::Page* page = queue.first(); page != nullptr; page = page->queue_next) {
        page->collect_thread_free();
        ++pages;
        blocks += page->used;
        bytes += static_cast<int64_t>(page->used * page->block_size);
      }
    }
  }
  const xi::Writer writer(out, argument);
  writer.row("thread_pages", {pages, pages, pages});
  writer.row("thread_blocks", {blocks, blocks, blocks});
  writer.row("thread_bytes", {bytes, bytes, bytes});
  writer.row("thread_slow_paths", {slow_paths, slow_paths, slow_paths});
}

size_t xi_stats_get_json(size_t size, char* text) noexcept {
  xi::Buffer json(text, text != nullptr ? size : 0);
  json.add("{\"version\":").add(xi_version());
  xi::each_row(json);
  return json.add("}").end();
}

void xi_stats_reset() noexcept {
  xi_stats_merge();
  for (const xi::StatisticRow& row : xi::statistic_table) (xi::statistics.*row.figure).restart();
}

void xi_stats_merge() noexcept {
  if (xi::thread_state.has_heap()) xi::merge_statistics(xi::thread_state.current);
}

void xi_process_info(size_t* elapsed_ms, size_t* user_ms, size_t* system_ms, size_t* current_rss, size_t* peak_rss,
                     size_t* current_commit, size_t* peak_commit, size_t* page_faults) noexcept {
  const xi::os::Usage usage = xi::os::process_usage();
  const auto give = [](size_t* out, uint64_t value) {
    if (out != nullptr) *out = value;
  };
  give(elapsed_ms, usage.elapsed_ms);
  give(user_ms, usage.user_ms);
  give(system_ms, usage.system_ms);
  give(current_rss, usage.resident_bytes);
  give(peak_rss, usage.peak_resident_bytes);
  give(current_commit, static_cast<uint64_t>(xi::statistics.committed_bytes.get()));
  give(peak_commit, static_cast<uint64_t>(xi::statistics.committed_bytes.peak()));
  give(page_faults, usage.page_faults);
}
