// An arena: a reserved range of address space in slices, and the state of each slice in bitmaps. The metadata lies
// outside of the range, so that blocks can begin where a page begins and a stray write to a block cannot reach it.
//
// A slice belongs to whoever cleared its bit in `free`; only that thread changes its bits in `committed` and `dirty`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/atomic.h"
#include "allocator/base/bitmap.h"
#include "allocator/base/config.h"

namespace xi {

// Consecutive slices of one arena. `zero`: every byte of them is known to be zero.
struct Arena;
struct SliceClaim {
  Arena* arena = nullptr;
  size_t first = 0;
  size_t count = 0;
  bool zero = false;
};

// Address space that becomes an arena, and what is known of it.
struct ArenaRange {
  uintptr_t base = 0;
  size_t slices = 0;
  bool committed = false;  // accessible already
  bool zero = true;        // every byte of it is zero
  bool pinned = false;     // the system does not take its memory back in parts: it is never purged
  bool managed = false;    // a mapping of the program, of which nothing is known but what is said here
  bool exclusive = false;  // for heaps that ask for this arena, and no others
  int numa_node = -1;      // as the program says; -1: none in particular
};

struct Arena {
  uintptr_t base = 0;
  size_t slice_count = 0;
  size_t metadata_size = 0;
  bool pinned = false;
  bool managed = false;
  bool exclusive = false;
  int numa_node = -1;

  Bitmap free;       // nobody's
  Bitmap committed;  // accessible
  Bitmap dirty;      // may hold something other than zeros
  Bitmap purge;      // free, and to be given back to the system when purge_at has come

  // Pages of a bin that no thread owns and that have room; a bit stands for a page's first slice. Set and cleared only
  // by the thread that owns the page at that moment.
  Bitmap abandoned[kBinCount];

  // Page structs, one for each slice, kPageMetaSize bytes each: type-stable, since stale pointers to them are followed.
  char* pages = nullptr;

  // One bit for each page of the system of each slice, lowest first: the free blocks that begin there are in no list of
  // their page, since their memory went back (page/page_purge.h). Written by the owner of the page alone.
  static_assert(kOsPagesPerSlice == 16);
  uint16_t* purged_inside = nullptr;

  Atomic<size_t> search_from;  // a hint: all slices below were taken when it was written
  Atomic<uint64_t> purge_at;   // on the clock, in milliseconds; 0: nothing is scheduled

  uintptr_t address_of_slice(size_t slice) const { return base + (slice << kSliceShift); }
  size_t slice_of(uintptr_t address) const { return (address - base) >> kSliceShift; }
  bool contains(uintptr_t address) const { return address - base < slice_count << kSliceShift; }
  void* page_meta(size_t slice) const { return pages + slice * kPageMetaSize; }

  // Claims slices whose first address is a multiple of `alignment` and commits them. 0, ENOSPC when no run of free
  // slices fits, or the error of the commit that failed.
  int claim(size_t count, size_t alignment, SliceClaim* out);

  void set_abandoned(size_t bin, size_t slice, bool value);

  // Gives slices back; their memory is scheduled for purge at `now` + the delay.
  void release(size_t first, size_t count, uint64_t now);

  // Gives the memory of scheduled slices back to the system; of all of them when `force`, else when the time has come.
  void purge_expired(uint64_t now, bool force);

  bool is_valid() const;

 private:
  int commit_claimed(size_t first, size_t count);
  void schedule_purge(size_t first, size_t count, uint64_t now);
  bool purge_scheduled();
  size_t end_of_run(size_t at) const;
  bool purge_claimed(size_t first, size_t count);
  bool purge_run(size_t first, size_t count);
};

// A new arena over the range, with its metadata; null when the system has no room for that.
Arena* make_arena(const ArenaRange& range);
// The same over `slices` slices of new address space at a multiple of `alignment`.
Arena* create_arena(size_t slices, size_t alignment);
// For an arena that no other thread has seen: its metadata go, and with destroy_arena() its range too.
void forget_arena(Arena* arena);
void destroy_arena(Arena* arena);

}  // namespace xi
