#include "harness/model/pattern.h"

// A race detector's runtime, where there is one. The kernels below are compiled without it and tell it what they touch:
// that a block goes from thread to thread is the allocator's business to synchronise.
extern "C" {
__attribute__((weak)) void __tsan_read_range(void* begin, unsigned long size);
__attribute__((weak)) void __tsan_write_range(void* begin, unsigned long size);
}

namespace assay {
namespace {

void tell_of_read(const void* block, size_t from, size_t to) {
  if (__tsan_read_range != nullptr && from < to) {
    __tsan_read_range(const_cast<char*>(static_cast<const char*>(block)) + from, to - from);
  }
}
void tell_of_write(void* block, size_t from, size_t to) {
  if (__tsan_write_range != nullptr && from < to) __tsan_write_range(static_cast<char*>(block) + from, to - from);
}

using Word [[gnu::aligned(1), gnu::may_alias]] = uint64_t;

constexpr uint64_t kStep = 0x9e3779b97f4a7c15;  // odd, so that no two words of a block are equal
constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kBatchWords = 64;

uint8_t byte_of(uint64_t word, size_t index) {
  return static_cast<uint8_t>(word >> (8 * index));
}

// The loops that decide the harness's speed, once for any x86-64 and once for processors with 32-byte vectors.
#define ASSAY_KERNEL [[gnu::always_inline]] inline
#define ASSAY_WIDE [[gnu::target("avx2")]]

ASSAY_KERNEL void fill_words(Word* words, uint64_t first, size_t count) {
  for (size_t i = 0; i < count; ++i) words[i] = first + i * kStep;
}

// Differences of `count` words from the pattern that starts with `first`, or-ed together.
ASSAY_KERNEL uint64_t differences(const Word* words, uint64_t first, size_t count) {
  uint64_t seen = 0;
  for (size_t i = 0; i < count; ++i) seen |= words[i] ^ (first + i * kStep);
  return seen;
}

// Words that hold the pattern, counted from the first: a batch that does not is left to the caller to be searched.
ASSAY_KERNEL size_t right_words(const Word* words, uint64_t first, size_t count) {
  size_t right = 0;
  for (; right + kBatchWords <= count; right += kBatchWords) {
    if (differences(words + right, first + right * kStep, kBatchWords) != 0) return right;
  }
  return differences(words + right, first + right * kStep, count - right) != 0 ? right : count;
}

void fill_narrow(Word* words, uint64_t first, size_t count) {
  fill_words(words, first, count);
}
ASSAY_WIDE void fill_wide(Word* words, uint64_t first, size_t count) {
  fill_words(words, first, count);
}
size_t right_narrow(const Word* words, uint64_t first, size_t count) {
  return right_words(words, first, count);
}
ASSAY_WIDE size_t right_wide(const Word* words, uint64_t first, size_t count) {
  return right_words(words, first, count);
}

const bool has_wide_vectors = __builtin_cpu_supports("avx2") != 0;

uint64_t any_bits(const Word* words, size_t count) {
  uint64_t seen = 0;
  for (size_t i = 0; i < count; ++i) seen |= words[i];
  return seen;
}

}  // namespace

uint8_t pattern_byte(uint64_t seed, size_t offset) {
  return byte_of(seed + offset / kWordBytes * kStep, offset % kWordBytes);
}

uint64_t block_seed(uint64_t serial) {
  uint64_t z = serial * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void fill_pattern(void* block, uint64_t seed, size_t from, size_t to) {
  tell_of_write(block, from, to);
  auto* bytes = static_cast<uint8_t*>(block);
  while (from < to && from % kWordBytes != 0) {
    bytes[from] = pattern_byte(seed, from);
    ++from;
  }
  const size_t count = from < to ? (to - from) / kWordBytes : 0;
  auto* words = reinterpret_cast<Word*>(bytes + from);
  const uint64_t value = seed + from / kWordBytes * kStep;
  has_wide_vectors ? fill_wide(words, value, count) : fill_narrow(words, value, count);
  for (from += count * kWordBytes; from < to; ++from) bytes[from] = pattern_byte(seed, from);
}

size_t first_wrong_byte(const void* block, uint64_t seed, size_t from, size_t to) {
  tell_of_read(block, from, to);
  const auto* bytes = static_cast<const uint8_t*>(block);
  for (; from < to && from % kWordBytes != 0; ++from) {
    if (bytes[from] != pattern_byte(seed, from)) return from;
  }
  const size_t count = from < to ? (to - from) / kWordBytes : 0;
  const auto* words = reinterpret_cast<const Word*>(bytes + from);
  const uint64_t value = seed + from / kWordBytes * kStep;
  const size_t right = has_wide_vectors ? right_wide(words, value, count) : right_narrow(words, value, count);
  from += right * kWordBytes;
  for (; from < to; ++from) {
    if (bytes[from] != pattern_byte(seed, from)) return from;
  }
  return kAllRight;
}

size_t first_nonzero_byte(const void* block, size_t from, size_t to) {
  tell_of_read(block, from, to);
  const auto* bytes = static_cast<const uint8_t*>(block);
  while (from + kWordBytes <= to) {
    const size_t count = std::min((to - from) / kWordBytes, kBatchWords);
    if (any_bits(reinterpret_cast<const Word*>(bytes + from), count) != 0) {
      while (bytes[from] == 0) ++from;
      return from;
    }
    from += count * kWordBytes;
  }
  for (; from < to; ++from) {
    if (bytes[from] != 0) return from;
  }
  return kAllRight;
}

uint64_t planned_bytes(const FillPlan& plan, uint64_t size) {
  uint64_t sum = 0;
  for_each_part(plan, size, [&sum](uint64_t from, uint64_t to) {
    sum += to - from;
    return true;
  });
  return sum;
}

}  // namespace assay
