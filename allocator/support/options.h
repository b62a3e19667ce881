// Settings, read from the environment when the process starts, and changed by xi_option_set. The table is options.def.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/atomic.h"

#if defined(XIMALLOC_TEST_SEAMS)
#define XI_TEST_DEFAULT(test, other) (test)
#define XI_THREAD_MAX 0
#else
#define XI_TEST_DEFAULT(test, other) (other)
#define XI_THREAD_MAX 1
#endif
#if defined(NDEBUG)
#define XI_ASSERT_MAX 0
#else
#define XI_ASSERT_MAX 1
#endif

namespace xi {

struct Options {
#define XI_OPTION(name, variable, standard, smallest, largest, doc) Setting name = standard;
#include "allocator/support/options.def"
#undef XI_OPTION
};

extern Options options;

// A row of the table.
struct OptionRow {
  const char* name;
  const char* variable;
  Setting Options::* value;
  int64_t standard, smallest, largest;
  const char* doc;
};
inline constexpr size_t kOptionCount = 0
#define XI_OPTION(name, variable, standard, smallest, largest, doc) +1
#include "allocator/support/options.def"
#undef XI_OPTION
    ;
extern const OptionRow option_table[kOptionCount];

// Defaults, then what the environment says. A value that is no number or out of range, and a variable XIMALLOC_… that
// belongs to no option, is reported and ignored. Called while the process starts, before any other thread can be inside
// the allocator.
void load_options();

// Sets an option; false when the value is out of range. One that was set counts as set for default_option().
bool set_option(size_t index, int64_t value);
// Sets an option that neither the environment nor set_option() has set; false when the value is out of range.
bool default_option(size_t index, int64_t value);

// All as in a process that has not started.
void reset_options();

// The value of `text`, a whole number with an optional suffix K, M or G (of 1024); false when it is none.
bool parse_option(const char* text, int64_t* out);

}  // namespace xi
