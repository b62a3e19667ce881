// Settings, read from the environment when the process starts. The table is options.def.
#pragma once

#include <cstdint>

#if defined(XIMALLOC_TEST_SEAMS)
#define XI_TEST_DEFAULT(test, other) (test)
#else
#define XI_TEST_DEFAULT(test, other) (other)
#endif

namespace xi {

struct Options {
#define XI_OPTION(name, variable, standard, smallest, largest, doc) int64_t name = standard;
#include "allocator/support/options.def"
#undef XI_OPTION
};

// Written only while the process starts, before any other thread can be inside the allocator (and by tests).
extern Options options;

// Defaults, then what the environment says. A value that is no number or out of range is reported once and ignored.
void load_options();

// The value of `text`, a whole number with an optional suffix K, M or G (of 1024); false when it is none.
bool parse_option(const char* text, int64_t* out);

}  // namespace xi
