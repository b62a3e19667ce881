#include "allocator/support/report.h"

#include "allocator/base/assert.h"
#include "allocator/base/atomic.h"
#include "allocator/support/line.h"
#include "allocator/support/options.h"

namespace xi {

namespace {

struct Said {
  Atomic<bool> foreign_pointer;
  Atomic<bool> unmap_failed;
  Atomic<bool> no_background_thread;
};
constinit Said said;

bool first_time(Atomic<bool>& already) {
  return options.warnings != 0 && !already.exchange(true, kRelaxed);
}

}  // namespace

void assertion_failed(const char* what, const char* file, int line) {
  Line()
      .text("assertion failed: ")
      .text(what)
      .text(" (")
      .text(file)
      .text(":")
      .number(line, 10)
      .text(")")
      .say_and_abort();
}

void report_interior_pointer(const char* function, const void* pointer) {
  Line().text(function).text("(").address(pointer).text("): no block begins there").say_and_abort();
}

void report_corrupt_page(const void* page_start) {
  Line()
      .text("the free lists of the page at ")
      .address(page_start)
      .text(" are corrupt: a block was freed twice, or written to after it was freed")
      .say_and_abort();
}

void warn_foreign_pointer(const char* function, const void* pointer) {
  if (!first_time(said.foreign_pointer)) return;
  Line().text(function).text("(").address(pointer).text("): not a live block of this allocator; ignored").say();
}

void warn_bad_option(const char* variable, const char* value) {
  Line().text(variable).text("=").text(value).text(": no number in range; the default is taken").say();
}

void warn_unknown_option(const char* entry) {
  Line().text(entry).text(": there is no such option; ignored").say();
}

void warn_option_out_of_range(const char* option, long value) {
  if (options.warnings == 0) return;
  Line line;
  line.text("option ").text(option).text("=").signed_number(value).text(": out of range; it stays as it is").say();
}

void warn_unmap_failed(int error) {
  if (!first_time(said.unmap_failed)) return;
  Line().text("munmap failed with error ").number(error, 10).text("; the address range stays mapped").say();
}

void warn_no_background_thread(int error) {
  if (!first_time(said.no_background_thread)) return;
  Line().text("the thread of option background_purge could not be started, error ").number(error, 10).say();
}

void reset_warnings() {
  said.foreign_pointer.store(false, kRelaxed);
  said.unmap_failed.store(false, kRelaxed);
  said.no_background_thread.store(false, kRelaxed);
}

}  // namespace xi
