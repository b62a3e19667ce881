// Where the allocator's text goes: to standard error, or to the function that a program has registered.
#pragma once

namespace xi {

using OutputFunction = void (*)(const char* text, void* argument);

// Null: standard error. While it is changed no other thread may have something to say.
void set_output(OutputFunction function, void* argument);

void put(const char* text);

}  // namespace xi
