// Files that the allocator writes when it is asked to, and what it reads for them.
#pragma once

#include <cstddef>

namespace xi::os {

// Calls visit(text, context) for the file's text, part by part, each with a NUL at its end. 0 or an errno value.
int read_parts(const char* path, void (*visit)(const char* text, void* context), void* context);

// A new file (what there was is gone); an errno value as the negative.
int create_file(const char* path);
// 0 or an errno value; nothing more is to be written then.
int write_file(int file, const char* text, size_t length);
// 0 or an errno value: what was written may not be there.
int close_file(int file);

unsigned process_id();

}  // namespace xi::os
