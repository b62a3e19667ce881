// What the ELF file of a subject says about itself, read from disk before anything is loaded.
#pragma once

#include <string>
#include <string_view>

namespace assay {

// Throws InputError ("<file>: ...") unless `path` is a readable 64-bit x86 shared object.
void require_shared_object(const std::string& path);

// True when the file defines malloc, free, calloc or realloc and calls one of them by a symbol that, loaded with dlopen
// beside this process's own malloc, would bind to that one instead: then it must run preloaded, in a worker process.
// False with -Bsymbolic, protected or hidden symbols, or when it never calls them by name.
bool needs_preload(const std::string& path);

// True when it was compiled with -fsanitize-coverage: its callbacks have to be there when it is loaded, and only the
// worker process has them.
bool has_coverage(const std::string& path);

// True when it was compiled with -fsanitize=thread: only a process with that runtime can load it.
bool has_thread_sanitizer(const std::string& path);

}  // namespace assay
