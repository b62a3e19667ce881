// Interior pointers: what a caller gets when he asks for an alignment at an offset is not where a block begins. The
// bytes between hold a mark, so that a free of some other address inside of a block can be told from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace xi {

// Odd and above every address: neither mark can be taken for the link of a free block, which is an aligned address.
inline constexpr uint64_t kInteriorMark = 0xd1b54a32d192ed03;
inline constexpr unsigned char kShortInteriorMark = 0xb0;

// The block, whose first `distance` bytes are not the caller's, has been handed out at block + distance.
inline void mark_interior(void* block, size_t distance) {
  if (distance < sizeof(uint64_t)) {
    *static_cast<unsigned char*>(block) = static_cast<unsigned char>(kShortInteriorMark + distance);
    return;
  }
  const uint64_t mark = kInteriorMark ^ (uint64_t{distance} << 1);
  memcpy(block, &mark, sizeof mark);
}

inline bool is_marked_interior(const void* block, size_t distance) {
  if (distance < sizeof(uint64_t)) {
    return *static_cast<const unsigned char*>(block) == static_cast<unsigned char>(kShortInteriorMark + distance);
  }
  uint64_t mark = 0;
  memcpy(&mark, block, sizeof mark);
  return mark == (kInteriorMark ^ (uint64_t{distance} << 1));
}

}  // namespace xi
