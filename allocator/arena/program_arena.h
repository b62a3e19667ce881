// Arenas that a program has made: from new address space, from huge pages, or over memory that it has mapped itself.
#pragma once

#include "allocator/arena/arena.h"

namespace xi {

struct ArenaWish {
  bool commit = false;  // accessible from the start, so that no allocation needs the system
  bool large = false;   // in pages of 2 MiB, if there are any
  bool exclusive = false;
  int numa_node = -1;
};

// A new arena of at least `size` bytes. 0, EINVAL for a size of 0, ENOMEM (also when option arena_limit forbids it).
int reserve_arena(size_t size, const ArenaWish& wish, Arena** out);

// A new arena of up to `pages` pages of 1 GiB, as many as there are and can be had in `timeout_ms` (0: without limit).
// 0 when there is at least one; ENOMEM or ETIMEDOUT.
int reserve_huge_arena(size_t pages, size_t timeout_ms, const ArenaWish& wish, Arena** out);

// An arena of the slices in [start, start + size); `promised` says what is known of it. 0, EINVAL when there is no
// whole slice in it, when it is no memory of a program, or when a part of it belongs to an arena; ENOMEM.
int manage_arena(void* start, size_t size, ArenaRange promised, Arena** out);

// True for an arena that there is, whoever has made it.
bool is_arena(const Arena* arena);

}  // namespace xi
