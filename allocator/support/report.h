// What the allocator has to say: corruption ends the process here, misuse that it can ignore is named once.
#pragma once

#include <cstddef>

namespace xi {

// A free (realloc, usable_size) of an address inside a page that no block begins at. Test flavours only.
[[noreturn]] void report_interior_pointer(const char* function, const void* pointer);

// A page's lists hold more blocks than it has handed out: a block was freed twice, or written to after its free.
[[noreturn]] void report_corrupt_page(const void* page_start);

// `pointer` was never ours. Said once a process, then ignored: programs do this at exit, where nothing can be mended.
void warn_foreign_pointer(const char* function, const void* pointer);

// The environment variable has no usable value; the default is taken.
void warn_bad_option(const char* variable, const char* value);

// The environment has a variable with our prefix, "NAME=value", that belongs to no option.
void warn_unknown_option(const char* entry);

// xi_option_set of what is out of range: the option stays as it is.
void warn_option_out_of_range(const char* option, long value);

// munmap failed: the range stays mapped, its memory is given back. Said once a process.
void warn_unmap_failed(int error);

// Memory goes back as without the option.
void warn_no_background_thread(int error);

// Warnings that were said count as not said.
void reset_warnings();

}  // namespace xi
