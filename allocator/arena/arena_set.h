// All arenas of the process: the one way in for whoever needs slices. Arenas are never taken away. Most are made when
// memory is needed; a program can have some made (arena/program_arena.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/arena/arena.h"

namespace xi {

// Tells the page map about a new range before any thread can get a slice of it; false when there is no memory for it.
// Set by page_map/ with a constant initialiser.
extern bool (*arena_created)(uintptr_t base, size_t size);

// Claims `count` slices at a multiple of `alignment` (at most kArenaAlignment) from any arena that is not exclusive,
// from a new one if need be. 0 or ENOMEM.
int claim_slices(size_t count, size_t alignment, SliceClaim* out);
// The same from this one alone, at any alignment.
int claim_slices_in(Arena* arena, size_t count, size_t alignment, SliceClaim* out);
void release_slices(const SliceClaim& claim);

// The most slices that one claim can get: more are to be mapped by the caller himself.
size_t max_claim_slices();

// Purges what is due in all arenas; with `force` what is scheduled at all.
void purge_arenas(bool force);

// Makes an arena over the range, which is the caller's again when that fails. 0, EINVAL (a part of it belongs to an
// arena) or ENOMEM, also when the program has had kMaxProgramArenas made.
inline constexpr size_t kMaxProgramArenas = kMaxArenas / 2;
int enter_arena(const ArenaRange& range, Arena** out);

// The `index`-th arena, or null when there are fewer.
Arena* arena_at(size_t index);
// The arena that holds the address, or null.
Arena* arena_of(uintptr_t address);

// Address space for blocks, in arenas or outside: begin_mapping() says false when option arena_limit does not allow it,
// and what it allowed is given back by end_mapping().
bool begin_mapping(size_t size);
void end_mapping(size_t size);
size_t mapped_bytes();

// The lock that is held while an arena is made, for fork handlers.
void lock_arenas();
void unlock_arenas();

void reset_arenas();

}  // namespace xi
