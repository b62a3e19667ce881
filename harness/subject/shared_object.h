// Any shared object with a malloc in it, loaded beside this process's own malloc.
#pragma once

#include <memory>
#include <string>

#include "harness/subject/subject.h"

namespace assay {

// Instead of a prefix: by jemalloc's own interface (mallocx.h).
inline constexpr const char* kMallocx = "mallocx family";

// `prefix` stands before each of its functions ("mi_"). `name` is what the user wrote. Throws InputError.
std::unique_ptr<Subject> open_shared_object(const std::string& name, const std::string& path,
                                            const std::string& prefix);

// dlopen of an allocator needs more static TLS than the loader keeps free (jemalloc 2.6 KB, scudo 11.8 KB). Starts this
// program again with the tunable that makes room, unless it is set already; call it first thing in main.
void ensure_static_tls(char** argv);

}  // namespace assay
