// Subprocesses: sets of threads (one for each interpreter that a program runs, say) that take over the pages of one
// another's ended threads, and of no others. Each has a list of what its ended threads have left, which stands for it;
// the main one, to which threads belong that join no other, has the index 0.
#pragma once

#include "allocator/heap/heap.h"

namespace xi {

// The main one included; an index fits into a byte of a page.
inline constexpr size_t kMaxSubprocesses = 256;

// A new one without threads; null when there is no memory, or there are as many as there can be.
Heap* new_subprocess();

// Whether the address stands for a subprocess that has not ended.
bool is_subprocess(const Heap* list);

// What the subprocess's ended threads have left is the main one's from here on. False, and nothing happens, when it is
// the main one or a thread of it has a heap.
bool end_subprocess(Heap* list);

// The list that pages of the subprocess's ended threads go to.
Heap* orphans_of(uint8_t subprocess);

void reset_subprocesses();

}  // namespace xi
