// xi_option_*. The environment is read before an option is read or set, so that it never overrides what a program has
// set.
#include <cerrno>

#include "allocator/heap/watch.h"
#include "allocator/include/ximalloc.h"
#include "allocator/process/background.h"
#include "allocator/process/process.h"
#include "allocator/support/line.h"
#include "allocator/support/options.h"
#include "allocator/support/report.h"

namespace {

// The enumeration of the header is the order of the table.
enum class Row : int {
#define XI_OPTION(name, variable, standard, smallest, largest, doc) name,
#include "allocator/support/options.def"
#undef XI_OPTION
};
#define XI_OPTION(name, variable, standard, smallest, largest, doc) \
  static_assert(static_cast<int>(Row::name) == xi_option_##name);
#include "allocator/support/options.def"
#undef XI_OPTION
static_assert(xi_option_count == xi::kOptionCount);

bool exists(xi_option_t option) {
  xi::start_process();
  if (static_cast<size_t>(option) < xi::kOptionCount) return true;
  errno = EINVAL;
  return false;
}

void set(xi_option_t option, long value, bool (*how)(size_t index, int64_t value)) {
  if (!exists(option)) return;
  if (how(option, value)) {
    if (option == xi_option_background_purge) xi::follow_background_option();
    if (option == xi_option_profile_interval && value != 0) {
      xi::prepare_profile();
      if (xi::thread_state.has_heap()) xi::follow_watch(xi::thread_state.current);
    }
    return;
  }
  xi::warn_option_out_of_range(xi::option_table[option].name, value);
  errno = EINVAL;
}

}  // namespace

long xi_option_get(xi_option_t option) noexcept {
  return exists(option) ? static_cast<long>(int64_t{xi::options.*xi::option_table[option].value}) : 0;
}

long xi_option_get_clamp(xi_option_t option, long smallest, long largest) noexcept {
  const long value = xi_option_get(option);
  return value < smallest ? smallest : value > largest ? largest : value;
}

size_t xi_option_get_size(xi_option_t option) noexcept {
  const long value = xi_option_get(option);
  return value > 0 ? static_cast<size_t>(value) : 0;
}

bool xi_option_is_enabled(xi_option_t option) noexcept {
  return xi_option_get(option) != 0;
}

void xi_option_set(xi_option_t option, long value) noexcept {
  set(option, value, &xi::set_option);
}

void xi_option_set_default(xi_option_t option, long value) noexcept {
  set(option, value, &xi::default_option);
}

void xi_option_enable(xi_option_t option) noexcept {
  xi_option_set(option, 1);
}

void xi_option_disable(xi_option_t option) noexcept {
  xi_option_set(option, 0);
}

void xi_option_set_enabled(xi_option_t option, bool enable) noexcept {
  xi_option_set(option, enable ? 1 : 0);
}

void xi_option_set_enabled_default(xi_option_t option, bool enable) noexcept {
  xi_option_set_default(option, enable ? 1 : 0);
}

const char* xi_option_name(xi_option_t option) noexcept {
  return exists(option) ? xi::option_table[option].name : nullptr;
}

void xi_options_print() noexcept {
  xi::start_process();
  for (const xi::OptionRow& row : xi::option_table) {
    xi::Line("")
        .text(row.name)
        .text("=")
        .signed_number(xi::options.*row.value)
        .text(" (")
        .text(row.variable)
        .text(", default ")
        .signed_number(row.standard)
        .text(", ")
        .signed_number(row.smallest)
        .text(" to ")
        .signed_number(row.largest)
        .text(")")
        .say();
  }
}
