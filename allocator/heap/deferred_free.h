// A function of the program that may free what it has put off: called now and then on slow paths, never inside itself.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// `heartbeat` counts the slow paths of the thread.
using DeferredFree = void (*)(bool force, unsigned long long heartbeat, void* argument);

// Null: none. While it is changed no other thread may be inside the allocator.
void set_deferred_free(DeferredFree function, void* argument);

void run_deferred_free(Heap* heap, bool force);

}  // namespace xi
