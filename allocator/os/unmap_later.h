// Mappings that the system refused to take back (munmap needs memory of its own, and a free place in the process's
// table of mappings, when it cuts one in two). Nobody uses them any more; they are kept and tried again.
#pragma once

#include <cstddef>

namespace xi::os {

// False when there is no room to remember it: then the address space is lost.
bool unmap_later(void* address, size_t size);

// Tries again: the one that waits longest, or all. What is refused once more goes on waiting.
void retry_one_unmap();
void retry_unmaps();

size_t unmaps_waiting();

// Whether what a new mapping may have to give back could be remembered; when not, even after trying again, the caller
// maps nothing: address space must not be lost, however long the system refuses.
bool room_to_unmap_later();

// The lock of the list, for fork handlers.
void lock_unmaps();
void unlock_unmaps();

#if defined(XIMALLOC_TEST_SEAMS)
// Of what waits, the address space that was mapped for blocks.
size_t block_bytes_waiting();
#endif

// For a reset: the mappings have gone with all others.
void reset_unmaps();

}  // namespace xi::os
