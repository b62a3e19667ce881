// Sizes that shape the whole allocator. A slice is the unit of address space, commit and purge; a page is one or more
// slices that hold blocks of one size; an arena is a reserved range of slices.
#pragma once

#include <cstddef>
#include <cstdint>

// For variables that the fast path reads: a declaration alone does not tell the compiler that it is ours, and it would
// go through the table of a shared library's foreign symbols.
#define XI_HIDDEN [[gnu::visibility("hidden")]]

namespace xi {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;
inline constexpr size_t kGiB = 1024 * kMiB;

inline constexpr size_t kSliceShift = 16;
inline constexpr size_t kSliceSize = size_t{1} << kSliceShift;

inline constexpr size_t kSmallPageSlices = 1;
inline constexpr size_t kMediumPageSlices = 8;
inline constexpr size_t kLargePageSlices = 64;

// The largest block of each kind of page: always an eighth of the page, so that at least 8 blocks fit.
inline constexpr size_t kSmallBlockMax = 8 * kKiB;
inline constexpr size_t kMediumBlockMax = 64 * kKiB;
inline constexpr size_t kLargeBlockMax = 512 * kKiB;

// Requests up to here find their page by one load from a table that is indexed by words.
inline constexpr size_t kDirectMax = 1024;

inline constexpr size_t kBinCount = 105;      // page/bin.h proves it
inline constexpr size_t kPageMetaSize = 128;  // page/page.h proves it

// Arenas begin at multiples of this; a larger alignment is served by a mapping of its own.
inline constexpr size_t kArenaAlignment = 32 * kMiB;
inline constexpr size_t kMaxArenas = 512;

// C23 7.24.3: no object is larger than PTRDIFF_MAX.
inline constexpr size_t kMaxRequest = PTRDIFF_MAX;

inline constexpr size_t kAddressBits = 47;

// A page of the system, the unit of what goes back to it from inside of a page. Where the system's pages are larger,
// nothing does.
inline constexpr size_t kOsPageSize = 4 * kKiB;
inline constexpr size_t kOsPagesPerSlice = kSliceSize / kOsPageSize;

// A page gets its blocks linked in steps of about this many bytes, so that memory nobody asked for stays untouched.
inline constexpr size_t kExtendBytes = 4 * kKiB;

}  // namespace xi
