// Option `fill`, in flavours with assertions: blocks that were not asked to be zero, and freed ones, hold bytes that no
// program takes for something of its own.
#pragma once

#include "allocator/page/page.h"
#include "allocator/support/options.h"

namespace xi {

inline constexpr unsigned char kFreshByte = 0xd0;
inline constexpr unsigned char kFreedByte = 0xdf;

#if defined(NDEBUG)
inline void* fill_fresh(void* block) {
  return block;
}
inline void fill_freed(const Page*, void*) {}
#else
// Null, or a block that is about to be handed out; returns it.
void* fill_fresh(void* block);
// A block that is about to be freed: its first word becomes the link.
void fill_freed(const Page* page, void* block);
#endif

}  // namespace xi
