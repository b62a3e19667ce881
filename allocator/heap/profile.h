// The samples of the heap profile: which of the blocks that are in use were asked for where. A sampled block has a page
// of its own, which knows its sample.
#pragma once

#include "allocator/page/page.h"

namespace xi {

inline constexpr size_t kMaxFrames = 30;

struct ProfileSample {
  bool is_live;
  uint32_t depth;
  size_t bytes;  // that were asked for
  void* frames[kMaxFrames];
};

// Notes the block of the page, which the caller owns and nobody else knows yet. When there is no room for it, it is not
// noted.
void add_sample(Page* page, size_t bytes, void* const* frames, size_t depth);
// The page, which the caller owns, ends.
void forget_sample(Page* page);

// Copies the next live sample from *at on, which begins at 0; false when there is none left.
bool next_sample(size_t* at, ProfileSample* out);

void lock_profile();
void unlock_profile();
void reset_profile();

}  // namespace xi
