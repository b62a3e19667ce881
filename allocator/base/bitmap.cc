#include "allocator/base/bitmap.h"

#include "allocator/base/assert.h"

namespace xi {

namespace {

// Calls visit(word index, mask) for each word that [first, first + count) touches; stops when visit returns false.
template <class Visit>
bool each_word(size_t first, size_t count, Visit visit) {
  while (count > 0) {
    const size_t offset = first % 64;
    const size_t here = count < 64 - offset ? count : 64 - offset;
    if (!visit(first / 64, bit_mask(offset, here))) return false;
    first += here;
    count -= here;
  }
  return true;
}

}  // namespace

size_t Bitmap::first_with(size_t from, size_t end, uint64_t flip) const {
  XI_ASSERT(end <= bits_);
  while (from < end) {
    const uint64_t word = (words_[from / 64].load(kAcquire) ^ flip) >> (from % 64);
    if (word != 0) {
      const size_t found = from + lowest_bit(word);
      return found < end ? found : kNone;
    }
    from = align_down(from, 64) + 64;
  }
  return kNone;
}

void Bitmap::set(size_t first, size_t count) {
  XI_ASSERT(first + count <= bits_);
  each_word(first, count, [this](size_t word, uint64_t mask) {
    words_[word].fetch_or(mask, kRelease);
    return true;
  });
}

void Bitmap::clear(size_t first, size_t count) {
  XI_ASSERT(first + count <= bits_);
  each_word(first, count, [this](size_t word, uint64_t mask) {
    words_[word].fetch_and(~mask, kRelease);
    return true;
  });
}

bool Bitmap::try_claim(size_t first, size_t count) {
  XI_ASSERT(count > 0 && first + count <= bits_);
  size_t claimed = 0;
  const bool all = each_word(first, count, [this, &claimed](size_t word, uint64_t mask) {
    uint64_t seen = words_[word].load(kRelaxed);
    do {
      if ((seen & mask) != mask) return false;
    } while (!words_[word].compare_exchange_weak(seen, seen & ~mask, kAcquire));
    claimed += count_bits(mask);
    return true;
  });
  if (!all && claimed > 0) set(first, claimed);
  return all;
}

size_t Bitmap::claim_run(size_t from, size_t count, size_t alignment, size_t phase) {
  XI_ASSERT(count > 0 && is_power_of_two(alignment));
  size_t first = align_up(from + phase, alignment) - phase;
  while (first + count <= bits_) {
    const size_t gap = first_clear(first, first + count);
    if (gap == kNone) {
      if (try_claim(first, count)) return first;
      continue;  // Another thread was faster: look at the same place again.
    }
    const size_t next = gap + 1 < bits_ ? first_set(gap + 1, bits_) : kNone;
    if (next == kNone) return kNone;
    first = align_up(next + phase, alignment) - phase;
  }
  return kNone;
}

size_t Bitmap::population() const {
  size_t total = 0;
  for (size_t word = 0; word < words_for(bits_); ++word) total += count_bits(words_[word].load(kRelaxed));
  return total;
}

}  // namespace xi
