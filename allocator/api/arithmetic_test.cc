// The arithmetic that everything rests on, over its whole finite domain where it has one, at all boundaries where it
// has 2^64: the live functions against slow and obvious ones. Each test prints how many cases it tried.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/api/request.h"
#include "allocator/arena/arena_set.h"
#include "allocator/base/bitmap.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page/bin.h"
#include "allocator/page/page.h"
#include "allocator/page_map/page_map.h"

namespace xi {
namespace {

// GoogleTest's macros cost more than what they ask here, hundreds of millions of times.
#define EXPECT_FOR_ALL(fact, detail) \
  do {                               \
    ++cases_;                        \
    if (!(fact)) {                   \
      ADD_FAILURE() << detail;       \
      return;                        \
    }                                \
  } while (false)

class ArithmeticTest : public FreshAllocator {
 protected:
  void TearDown() override {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    printf("arithmetic: %-42s %11zu cases %6.2f s\n", test->name(), cases_, seconds);
    FreshAllocator::TearDown();
  }

  size_t cases_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// 2^k - 2 to 2^k + 2 for every k, without repetition of the smallest ones.
std::vector<uint64_t> boundaries() {
  std::vector<uint64_t> values = {0, 1, 2, 3, 4, 5, 6};
  for (int k = 3; k < 64; ++k) {
    for (int d = -2; d <= 2; ++d) {
      if (const uint64_t value = (uint64_t{1} << k) + static_cast<uint64_t>(d); value > values.back())
        values.push_back(value);
    }
  }
  values.push_back(~uint64_t{0} - 1);
  values.push_back(~uint64_t{0});
  return values;
}

TEST_F(ArithmeticTest, SizeToBinToSize) {
  size_t expected = 0;
  for (size_t size = 0; size <= kLargeBlockMax; ++size) {
    if (size > Bin(expected).block_size()) ++expected;
    const Bin bin = Bin::of_size(size);
    const size_t block = bin.block_size();
    EXPECT_FOR_ALL(bin.index() == expected && bin.index() < kBinCount, "bin of " << size);
    EXPECT_FOR_ALL(block >= size && block_size_for(size) == block, "block for " << size);
    EXPECT_FOR_ALL(size <= 128 ? block - size <= 15 : (block - size) * 8 <= size, "waste of " << size);
    EXPECT_FOR_ALL(Bin::of_size(block) == bin, "a block's own size leads to its bin: " << size);
  }
  for (const uint64_t size : boundaries()) {
    if (size <= kLargeBlockMax || size > kMaxRequest) continue;
    const size_t block = block_size_for(size);
    EXPECT_FOR_ALL(block >= size && block - size < kSliceSize && block % kSliceSize == 0, "huge block for " << size);
  }
}

TEST_F(ArithmeticTest, DirectTable) {
  // The first block of each bin makes its page the first of the queue.
  for (size_t size = 0; size <= kDirectMax; ++size) {
    void* const block = xi_malloc(size);
    const Page* const page = page_map::find(block);
    EXPECT_FOR_ALL(thread_state.heap->direct[(size + 7) / 8] == page && page->bin == Bin::of_size(size),
                   "direct entry of " << size);
    xi_free(block);
  }
}

// Every block of every bin begins at a multiple of every alignment that its size is a multiple of, and no block leaves
// its page.
TEST_F(ArithmeticTest, BlockStarts) {
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    const size_t size = Bin(bin).block_size();
    const size_t bytes = Bin(bin).page_slices() << kSliceShift;
    size_t alignment = 1;
    while (alignment < kSliceSize && size % (alignment * 2) == 0) alignment *= 2;
    EXPECT_FOR_ALL(alignment >= (bin == 0 ? 8 : 16), "alignment of " << size);
    for (size_t start = 0; start + size <= bytes; start += size)
      EXPECT_FOR_ALL(start % alignment == 0, "block at " << start << " of " << size);
    EXPECT_FOR_ALL(bytes / size >= 8 && bytes % size < size, "blocks of " << size);
  }
}

TEST_F(ArithmeticTest, AlignedSizes) {
  for (size_t alignment = 1; alignment <= kSliceSize; alignment *= 2) {
    for (size_t size = 0; size <= kLargeBlockMax; ++size) {
      const size_t block = block_size_for(size == 0 ? alignment : align_up(size, alignment));
      EXPECT_FOR_ALL(block % alignment == 0 && block >= size, "block of " << size << " aligned to " << alignment);
    }
  }
}

// Any byte of a page: the block that it lies in, how much of it is left, and whether a block begins there.
TEST_F(ArithmeticTest, PointerToBlock) {
  constexpr uintptr_t kStart = uintptr_t{0x5900} << 32;
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    const size_t size = Bin(bin).block_size();
    const size_t bytes = Bin(bin).page_slices() << kSliceShift;
    Page page;
    page.begin({.start = kStart,
                .slices = Bin(bin).page_slices(),
                .block_size = size,
                .reserved = static_cast<uint32_t>(bytes / size),
                .bin = Bin(bin),
                .zero = false,
                .arena = nullptr});
    EXPECT_FOR_ALL(page.usable_size(reinterpret_cast<void*>(kStart)) == size, "plain block of " << size);
    page.allow_interior_blocks();
    const uintptr_t end = kStart + page.reserved * size;
    for (uintptr_t first = kStart; first < end; first += size) {
      for (size_t at = 0; at < size; ++at) {
        void* const pointer = reinterpret_cast<void*>(first + at);
        EXPECT_FOR_ALL(address_of(page.block_of(pointer)) == first && page.usable_size(pointer) == size - at,
                       "byte " << at << " of the block at " << first - kStart << " of " << size);
      }
    }
    for (uintptr_t address = kStart; address < kStart + bytes; address += 8) {
      EXPECT_FOR_ALL(page.is_block(reinterpret_cast<void*>(address)) ==
                         ((address - kStart) % size == 0 && address + size <= kStart + bytes),
                     "is_block at " << address - kStart << " of " << size);
    }
    for (uintptr_t address : {kStart - size, kStart - 8, kStart + bytes, kStart + page.reserved * size, uintptr_t{0}})
      EXPECT_FOR_ALL(!page.is_block(reinterpret_cast<void*>(address)), "outside of the page of " << size);
  }
}

TEST_F(ArithmeticTest, WordMasks) {
  for (size_t first = 0; first < 64; ++first) {
    for (size_t count = 1; first + count <= 64; ++count) {
      uint64_t expected = 0;
      for (size_t i = first; i < first + count; ++i) expected |= uint64_t{1} << i;
      EXPECT_FOR_ALL(bit_mask(first, count) == expected, "mask " << first << ", " << count);
      EXPECT_FOR_ALL(
          lowest_bit(expected) == first && highest_bit(expected) == first + count - 1 && count_bits(expected) == count,
          "bits " << first << ", " << count);
    }
  }
}

// Every run in a bitmap of a bit more than three words: what is set, found, claimed and cleared is that run.
TEST_F(ArithmeticTest, RunsOfSlices) {
  constexpr size_t kBits = 200;
  Bitmap::Word words[Bitmap::words_for(kBits)];
  Bitmap bits(words, kBits);
  for (size_t first = 0; first < kBits; ++first) {
    for (size_t count = 1; first + count <= kBits; ++count) {
      bits.set(first, count);
      bool right = bits.population() == count && bits.first_set(0, kBits) == first && bits.all_set(first, count);
      right = right && bits.get(first) && bits.get(first + count - 1);
      right = right && (first == 0 || (!bits.get(first - 1) && bits.all_clear(0, first)));
      const size_t after = first + count;
      right = right && bits.first_clear(first, kBits) == (after < kBits ? after : Bitmap::kNone);
      EXPECT_FOR_ALL(right, "set " << first << ", " << count);
      // One more on either side is not there to be claimed, and the attempt leaves nothing behind.
      if (first > 0) EXPECT_FOR_ALL(!bits.try_claim(first - 1, count + 1), "claim of more " << first << ", " << count);
      if (after < kBits) EXPECT_FOR_ALL(!bits.try_claim(first, count + 1), "claim of more " << first << ", " << count);
      EXPECT_FOR_ALL(bits.population() == count, "left as it was " << first << ", " << count);
      const size_t from = first / 2;
      EXPECT_FOR_ALL(bits.claim_run(from, count, 1, 0) == first && bits.population() == 0,
                     "run " << first << ", " << count);
      bits.set(0, kBits);
      EXPECT_FOR_ALL(bits.try_claim(first, count) && bits.population() == kBits - count,
                     "claimed " << first << ", " << count);
      bits.clear(0, kBits);
      EXPECT_FOR_ALL(bits.population() == 0, "clear after " << first << ", " << count);
    }
  }
}

// In a free bitmap: the first aligned run at or after any index, for any phase of the arena's own address.
TEST_F(ArithmeticTest, AlignedRuns) {
  constexpr size_t kBits = 140;
  Bitmap::Word words[Bitmap::words_for(kBits)];
  Bitmap bits(words, kBits);
  bits.set(0, kBits);
  for (size_t alignment = 1; alignment <= 128; alignment *= 2) {
    for (size_t phase = 0; phase < alignment; phase += alignment < 16 ? 1 : alignment / 16) {
      for (size_t from = 0; from < kBits; ++from) {
        for (const size_t count : {size_t{1}, size_t{2}, size_t{63}, size_t{64}, size_t{65}, kBits}) {
          size_t expected = from;
          while ((expected + phase) % alignment != 0) ++expected;
          if (expected + count > kBits) expected = Bitmap::kNone;
          const size_t found = bits.claim_run(from, count, alignment, phase);
          if (found != Bitmap::kNone) bits.set(found, count);
          EXPECT_FOR_ALL(found == expected, "run of " << count << " from " << from << " aligned to " << alignment
                                                      << " phase " << phase << ": " << found);
        }
      }
    }
  }
}

TEST_F(ArithmeticTest, SlicesOfAnArena) {
  void* const block = xi_malloc(1);
  const Arena* const arena = arena_at(0);
  ASSERT_NE(arena, nullptr);
  for (size_t slice = 0; slice < arena->slice_count; ++slice) {
    const uintptr_t address = arena->address_of_slice(slice);
    EXPECT_FOR_ALL(address == arena->base + slice * kSliceSize && arena->slice_of(address) == slice &&
                       arena->slice_of(address + kSliceSize - 1) == slice,
                   "slice " << slice);
    EXPECT_FOR_ALL(arena->contains(address) && arena->contains(address + kSliceSize - 1), "contains " << slice);
  }
  EXPECT_FOR_ALL(!arena->contains(arena->base - 1) && !arena->contains(arena->base + arena->slice_count * kSliceSize) &&
                     !arena->contains(0) && !arena->contains(UINTPTR_MAX),
                 "outside");
  xi_free(block);
}

TEST_F(ArithmeticTest, SixtyFourBits) {
  const std::vector<uint64_t> values = boundaries();
  for (const uint64_t a : values) {
    size_t ones = 0;
    for (uint64_t rest = a; rest != 0; rest &= rest - 1) ++ones;
    EXPECT_FOR_ALL(is_power_of_two(a) == (ones == 1) && count_bits(a) == ones, "power " << a);
    for (const uint64_t b : values) {
      const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
      size_t total = 0;
      const bool fits = multiply(a, b, &total);
      EXPECT_FOR_ALL(fits == (product >> 64 == 0) && (!fits || total == static_cast<uint64_t>(product)),
                     a << " times " << b);
      if (!is_power_of_two(b)) continue;
      EXPECT_FOR_ALL(is_aligned(a, b) == (a % b == 0) && align_down(a, b) == a - a % b, a << " aligned to " << b);
      if (a <= ~uint64_t{0} - (b - 1)) {
        EXPECT_FOR_ALL(align_up(a, b) >= a && align_up(a, b) - a < b && align_up(a, b) % b == 0, a << " up to " << b);
      }
    }
    EXPECT_FOR_ALL(page_map::find(reinterpret_cast<void*>(a)) == nullptr, "no page at " << a);
  }
}

// Whatever is asked for, the answer is a block that keeps its promise or the right error.
TEST_F(ArithmeticTest, RequestsAtTheBoundaries) {
  const std::vector<uint64_t> values = boundaries();
  for (const uint64_t size : values) {
    if (size > 100'000 && size < uint64_t{1} << 41) continue;  // would be served, and take its time
    for (const uint64_t alignment : values) {
      if (alignment > 70'000 && alignment < uint64_t{1} << 41) continue;
      for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, alignment - 1, alignment / 2, ~uint64_t{0}}) {
        void* block = nullptr;
        const int error = serve({.size = size, .alignment = alignment, .offset = offset}, &block);
        int expected = 0;
        if (!is_power_of_two(alignment)) {
          expected = EINVAL;
        } else if (size >= uint64_t{1} << 41 || alignment >= uint64_t{1} << 41) {
          expected = ENOMEM;
        }
        EXPECT_FOR_ALL(error == expected, size << ", " << alignment << ", " << offset << ": " << error);
        if (error != 0) continue;
        EXPECT_FOR_ALL((address_of(block) + offset) % alignment == 0 && xi_usable_size(block) >= size,
                       size << ", " << alignment << ", " << offset);
        xi_free(block);
      }
    }
  }
}

}  // namespace
}  // namespace xi
