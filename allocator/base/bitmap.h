// A view of a bitmap that several threads change at a time, and the protocols on it. The words lie elsewhere, since
// they are as long as an arena is large.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/base/atomic.h"
#include "allocator/base/bits.h"

namespace xi {

class Bitmap {
 public:
  using Word = Atomic<uint64_t>;
  static constexpr size_t kNone = ~size_t{0};
  static constexpr size_t words_for(size_t bits) { return (bits + 63) / 64; }

  constexpr Bitmap() = default;
  Bitmap(Word* words, size_t bits) : words_(words), bits_(bits) {}

  size_t size() const { return bits_; }
  const Word* word_of(size_t bit) const { return words_ + bit / 64; }
  bool get(size_t bit) const { return (words_[bit / 64].load(kAcquire) >> (bit % 64) & 1) != 0; }

  // All of [first, first + count) is set (clear) as far as one load of each word can tell.
  bool all_set(size_t first, size_t count) const { return first_clear(first, first + count) == kNone; }
  bool all_clear(size_t first, size_t count) const { return first_set(first, first + count) == kNone; }

  // The first set (clear) bit in [from, end), or kNone.
  size_t first_set(size_t from, size_t end) const { return first_with(from, end, 0); }
  size_t first_clear(size_t from, size_t end) const { return first_with(from, end, ~uint64_t{0}); }

  void set(size_t first, size_t count);
  void clear(size_t first, size_t count);

  // Clears [first, first + count) when every bit of it is set, as one step for every other user of this function: a
  // caller that loses a bit to another one gives back what it has, and gets false. kAcquire, against set()'s kRelease.
  bool try_claim(size_t first, size_t count);

  // Claims `count` set bits in a row, the first run at or after `from` whose first bit b makes b + phase a multiple of
  // `alignment` (a power of two). kNone when a pass to the end found none.
  size_t claim_run(size_t from, size_t count, size_t alignment, size_t phase);

  size_t population() const;

 private:
  size_t first_with(size_t from, size_t end, uint64_t flip) const;

  Word* words_ = nullptr;
  size_t bits_ = 0;
};

}  // namespace xi
