// Memory from the operating system. Every function returns 0 or an errno value and leaves errno itself alone; sizes and
// addresses are multiples of the slice size. No address is at or above 2^kAddressBits. In the test flavours each system
// call that is made here passes the seam (os/seam.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace xi::os {

// What a range is wanted for; the seam's footprint counts blocks, not metadata, nor what the program has mapped itself.
enum class Purpose { kBlocks, kMetadata, kProgram };

// Address space that may not be touched before commit(), at a multiple of `alignment` (a power of two, >= slice size).
int reserve(size_t size, size_t alignment, void** out);

// Zeroed memory that is ready to use, at a multiple of `alignment`. The kernel supplies it when it is touched.
int map(size_t size, size_t alignment, Purpose purpose, void** out);

// Makes a part of a reserved range, of which nothing was committed, accessible with pages of 2^page_shift bytes that
// the system never takes back in parts; both ends are multiples of that. Most systems have none: then an error.
inline constexpr unsigned kLargePageShift = 21, kHugePageShift = 30;
int commit_huge(void* address, size_t size, unsigned page_shift);

// Asks that the range, whose memory was not touched yet, comes from the node. A wish: there is no answer.
void prefer_node(void* address, size_t size, int node);

// From here on the other functions may be called for a range that the program has mapped. 0, EINVAL when it cannot be
// the program's, ENOMEM. disown() takes that back. Only the test flavours have something to do here.
#if defined(XIMALLOC_TEST_SEAMS)
int adopt(void* address, size_t size);
void disown(void* address, size_t size);
#else
inline int adopt(void*, size_t) {
  return 0;
}
inline void disown(void*, size_t) {}
#endif

// Gives back a whole range of reserve() or map(), or a part of one. When the system refuses, its contents go and it is
// unmapped later (os/unmap_later.h); an error means that it stays mapped for good.
int unmap(void* address, size_t size);

// Makes a part of a reserved range readable and writable; zeroed where it was not committed before. On failure nothing
// has changed that matters: the range counts as not committed.
int commit(void* address, size_t size);

// Contents gone and not accessible until the next commit(). On failure the contents may be gone, access is as before.
int decommit(void* address, size_t size);

// Contents gone (the range reads as zeros), still accessible.
int discard(void* address, size_t size);

// A part of mapped or committed memory that begins at a multiple of kOsPageSize and is a multiple of it, which only
// here need not be one of the slice size.
struct Range {
  uintptr_t start;
  size_t size;
};
inline constexpr size_t kMaxRanges = 64;
// As discard() for each of at most kMaxRanges ranges, in one call where the system can. Returns how many of them, from
// the first on, have gone: all, or the next one is what the system refused.
size_t discard_each(const Range* ranges, size_t count);

// False where the system's pages are larger than kOsPageSize: discard_each() would take what lies beside a range.
bool can_discard_os_pages();

// Says that a part of mapped or committed memory, blocks or metadata, is about to be written for the first time since
// it was zero. Means nothing to the system; a reset of the seam zeroes what was announced and nothing else.
#if defined(XIMALLOC_TEST_SEAMS)
void will_use(uintptr_t address, size_t size);
#else
inline void will_use(uintptr_t, size_t) {}
#endif

}  // namespace xi::os
