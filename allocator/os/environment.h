// The process's surroundings: environment variables, standard error, and its end.
#pragma once

#include <cstddef>

namespace xi::os {

// The variable's value, or null; null too for a program with raised privileges, and in the test flavours, where nothing
// outside of a program may decide its outcome.
const char* environment(const char* name);

// Calls visit(entry) for each variable, "NAME=value", whose name begins with the prefix; for none where environment()
// answers null to all.
void each_environment(const char* prefix, void (*visit)(const char* entry));

// The absolute path that `name` leads to, in `resolved`, which has room for PATH_MAX bytes. False with errno set as
// realpath(3) does: its error is the caller's answer.
bool resolve_path(const char* name, char* resolved);

void write_error(const char* text, size_t length);

[[noreturn]] void abort_process();

}  // namespace xi::os
