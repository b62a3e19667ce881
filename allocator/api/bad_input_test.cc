// Every function that gives a block, asked for what cannot be: sizes and alignments at each boundary, products that
// overflow, no block, no heap and another thread's heap. The answer is the documented one, and nothing is lost.
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

// What a function of the table is asked for; each takes what it has a parameter for.
struct Asked {
  xi_heap_t* heap;
  void* old;
  size_t count, size, alignment, offset;
};

struct Function {
  const char* name;
  void* (*call)(const Asked& asked);
  bool resizes = false, counts = false, aligns = false, has_offset = false, has_heap = false;
};

// NOLINTBEGIN: one row a function.
constexpr Function kFunctions[] = {
    {.name = "malloc", .call = [](const Asked& a) { return xi_malloc(a.size); }},
    {.name = "zalloc", .call = [](const Asked& a) { return xi_zalloc(a.size); }},
    {.name = "calloc", .call = [](const Asked& a) { return xi_calloc(a.count, a.size); }, .counts = true},
    {.name = "mallocn", .call = [](const Asked& a) { return xi_mallocn(a.count, a.size); }, .counts = true},
    {.name = "umalloc", .call = [](const Asked& a) { return xi_umalloc(a.size, nullptr); }},
    {.name = "ucalloc", .call = [](const Asked& a) { return xi_ucalloc(a.count, a.size, nullptr); }, .counts = true},
    {.name = "new_nothrow", .call = [](const Asked& a) { return xi_new_nothrow(a.size); }},
    {.name = "realloc", .call = [](const Asked& a) { return xi_realloc(a.old, a.size); }, .resizes = true},
    {.name = "urealloc",
     .call = [](const Asked& a) { return xi_urealloc(a.old, a.size, nullptr, nullptr); },
     .resizes = true},
    {.name = "reallocn",
     .call = [](const Asked& a) { return xi_reallocn(a.old, a.count, a.size); },
     .resizes = true,
     .counts = true},
    {.name = "reallocarray",
     .call = [](const Asked& a) { return xi_reallocarray(a.old, a.count, a.size); },
     .resizes = true,
     .counts = true},
    {.name = "rezalloc", .call = [](const Asked& a) { return xi_rezalloc(a.old, a.size); }, .resizes = true},
    {.name = "recalloc",
     .call = [](const Asked& a) { return xi_recalloc(a.old, a.count, a.size); },
     .resizes = true,
     .counts = true},
    {.name = "aligned_alloc",
     .call = [](const Asked& a) { return xi_aligned_alloc(a.alignment, a.size); },
     .aligns = true},
    {.name = "memalign", .call = [](const Asked& a) { return xi_memalign(a.alignment, a.size); }, .aligns = true},
    {.name = "malloc_aligned",
     .call = [](const Asked& a) { return xi_malloc_aligned(a.size, a.alignment); },
     .aligns = true},
    {.name = "zalloc_aligned",
     .call = [](const Asked& a) { return xi_zalloc_aligned(a.size, a.alignment); },
     .aligns = true},
    {.name = "umalloc_aligned",
     .call = [](const Asked& a) { return xi_umalloc_aligned(a.size, a.alignment, nullptr); },
     .aligns = true},
    {.name = "uzalloc_aligned",
     .call = [](const Asked& a) { return xi_uzalloc_aligned(a.size, a.alignment, nullptr); },
     .aligns = true},
    {.name = "new_aligned_nothrow",
     .call = [](const Asked& a) { return xi_new_aligned_nothrow(a.size, a.alignment); },
     .aligns = true},
    {.name = "calloc_aligned",
     .call = [](const Asked& a) { return xi_calloc_aligned(a.count, a.size, a.alignment); },
     .counts = true,
     .aligns = true},
    {.name = "malloc_aligned_at",
     .call = [](const Asked& a) { return xi_malloc_aligned_at(a.size, a.alignment, a.offset); },
     .aligns = true,
     .has_offset = true},
    {.name = "zalloc_aligned_at",
     .call = [](const Asked& a) { return xi_zalloc_aligned_at(a.size, a.alignment, a.offset); },
     .aligns = true,
     .has_offset = true},
    {.name = "calloc_aligned_at",
     .call = [](const Asked& a) { return xi_calloc_aligned_at(a.count, a.size, a.alignment, a.offset); },
     .counts = true,
     .aligns = true,
     .has_offset = true},
    {.name = "realloc_aligned",
     .call = [](const Asked& a) { return xi_realloc_aligned(a.old, a.size, a.alignment); },
     .resizes = true,
     .aligns = true},
    {.name = "realloc_aligned_at",
     .call = [](const Asked& a) { return xi_realloc_aligned_at(a.old, a.size, a.alignment, a.offset); },
     .resizes = true,
     .aligns = true,
     .has_offset = true},
    {.name = "rezalloc_aligned",
     .call = [](const Asked& a) { return xi_rezalloc_aligned(a.old, a.size, a.alignment); },
     .resizes = true,
     .aligns = true},
    {.name = "rezalloc_aligned_at",
     .call = [](const Asked& a) { return xi_rezalloc_aligned_at(a.old, a.size, a.alignment, a.offset); },
     .resizes = true,
     .aligns = true,
     .has_offset = true},
    {.name = "recalloc_aligned",
     .call = [](const Asked& a) { return xi_recalloc_aligned(a.old, a.count, a.size, a.alignment); },
     .resizes = true,
     .counts = true,
     .aligns = true},
    {.name = "recalloc_aligned_at",
     .call = [](const Asked& a) { return xi_recalloc_aligned_at(a.old, a.count, a.size, a.alignment, a.offset); },
     .resizes = true,
     .counts = true,
     .aligns = true,
     .has_offset = true},
    {.name = "aligned_recalloc",
     .call = [](const Asked& a) { return xi_aligned_recalloc(a.old, a.count, a.size, a.alignment); },
     .resizes = true,
     .counts = true,
     .aligns = true},
    {.name = "aligned_offset_recalloc",
     .call = [](const Asked& a) { return xi_aligned_offset_recalloc(a.old, a.count, a.size, a.alignment, a.offset); },
     .resizes = true,
     .counts = true,
     .aligns = true,
     .has_offset = true},
    {.name = "heap_malloc", .call = [](const Asked& a) { return xi_heap_malloc(a.heap, a.size); }, .has_heap = true},
    {.name = "heap_zalloc", .call = [](const Asked& a) { return xi_heap_zalloc(a.heap, a.size); }, .has_heap = true},
    {.name = "heap_calloc",
     .call = [](const Asked& a) { return xi_heap_calloc(a.heap, a.count, a.size); },
     .counts = true,
     .has_heap = true},
    {.name = "heap_mallocn",
     .call = [](const Asked& a) { return xi_heap_mallocn(a.heap, a.count, a.size); },
     .counts = true,
     .has_heap = true},
    {.name = "heap_malloc_aligned",
     .call = [](const Asked& a) { return xi_heap_malloc_aligned(a.heap, a.size, a.alignment); },
     .aligns = true,
     .has_heap = true},
    {.name = "heap_malloc_aligned_at",
     .call = [](const Asked& a) { return xi_heap_malloc_aligned_at(a.heap, a.size, a.alignment, a.offset); },
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
    {.name = "heap_zalloc_aligned",
     .call = [](const Asked& a) { return xi_heap_zalloc_aligned(a.heap, a.size, a.alignment); },
     .aligns = true,
     .has_heap = true},
    {.name = "heap_zalloc_aligned_at",
     .call = [](const Asked& a) { return xi_heap_zalloc_aligned_at(a.heap, a.size, a.alignment, a.offset); },
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
    {.name = "heap_calloc_aligned",
     .call = [](const Asked& a) { return xi_heap_calloc_aligned(a.heap, a.count, a.size, a.alignment); },
     .counts = true,
     .aligns = true,
     .has_heap = true},
    {.name = "heap_calloc_aligned_at",
     .call = [](const Asked& a) { return xi_heap_calloc_aligned_at(a.heap, a.count, a.size, a.alignment, a.offset); },
     .counts = true,
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
    {.name = "heap_realloc",
     .call = [](const Asked& a) { return xi_heap_realloc(a.heap, a.old, a.size); },
     .resizes = true,
     .has_heap = true},
    {.name = "heap_reallocn",
     .call = [](const Asked& a) { return xi_heap_reallocn(a.heap, a.old, a.count, a.size); },
     .resizes = true,
     .counts = true,
     .has_heap = true},
    {.name = "heap_rezalloc",
     .call = [](const Asked& a) { return xi_heap_rezalloc(a.heap, a.old, a.size); },
     .resizes = true,
     .has_heap = true},
    {.name = "heap_recalloc",
     .call = [](const Asked& a) { return xi_heap_recalloc(a.heap, a.old, a.count, a.size); },
     .resizes = true,
     .counts = true,
     .has_heap = true},
    {.name = "heap_realloc_aligned",
     .call = [](const Asked& a) { return xi_heap_realloc_aligned(a.heap, a.old, a.size, a.alignment); },
     .resizes = true,
     .aligns = true,
     .has_heap = true},
    {.name = "heap_realloc_aligned_at",
     .call = [](const Asked& a) { return xi_heap_realloc_aligned_at(a.heap, a.old, a.size, a.alignment, a.offset); },
     .resizes = true,
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
    {.name = "heap_rezalloc_aligned",
     .call = [](const Asked& a) { return xi_heap_rezalloc_aligned(a.heap, a.old, a.size, a.alignment); },
     .resizes = true,
     .aligns = true,
     .has_heap = true},
    {.name = "heap_rezalloc_aligned_at",
     .call = [](const Asked& a) { return xi_heap_rezalloc_aligned_at(a.heap, a.old, a.size, a.alignment, a.offset); },
     .resizes = true,
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
    {.name = "heap_recalloc_aligned",
     .call = [](const Asked& a) { return xi_heap_recalloc_aligned(a.heap, a.old, a.count, a.size, a.alignment); },
     .resizes = true,
     .counts = true,
     .aligns = true,
     .has_heap = true},
    {.name = "heap_recalloc_aligned_at",
     .call =
         [](const Asked& a) {
           return xi_heap_recalloc_aligned_at(a.heap, a.old, a.count, a.size, a.alignment, a.offset);
         },
     .resizes = true,
     .counts = true,
     .aligns = true,
     .has_offset = true,
     .has_heap = true},
};
// NOLINTEND

constexpr size_t kSizes[] = {0,
                             1,
                             7,
                             8,
                             9,
                             16,
                             127,
                             129,
                             1023,
                             1024,
                             1025,
                             8 * kKiB,
                             8 * kKiB + 1,
                             64 * kKiB - 1,
                             64 * kKiB + 1,
                             512 * kKiB,
                             512 * kKiB + 1,
                             kMiB + 1,
                             size_t{1} << 48,
                             PTRDIFF_MAX - 65'535,
                             PTRDIFF_MAX,
                             size_t{PTRDIFF_MAX} + 1,
                             SIZE_MAX - 65'535,
                             SIZE_MAX - 7,
                             SIZE_MAX};
constexpr size_t kAlignments[] = {
    0, 1, 2, 3, 8, 16, 24, 4096, 4097, 65'536, 131'072, size_t{1} << 25, size_t{1} << 62, size_t{1} << 63, SIZE_MAX};

class BadInputTest : public FreshAllocator {
 protected:
  // What the documentation says of the request: 0, or the errno value.
  static int expected(const Function& function, const Asked& asked) {
    size_t total = asked.size;
    if (function.counts && __builtin_mul_overflow(asked.count, asked.size, &total)) return ENOMEM;
    if (function.aligns && !is_power_of_two(asked.alignment)) return EINVAL;
    if (total >= size_t{1} << 47) return ENOMEM;
    return function.aligns && asked.alignment >= size_t{1} << 47 ? ENOMEM : 0;
  }

  // One call; a block that was to be resized is there afterwards as it was, when there is none.
  static void ask(const Function& function, Asked asked) {
    if (function.resizes && asked.old != nullptr) {
      asked.old = xi_zalloc(40);
      memcpy(asked.old, "as it was", 10);
    } else {
      asked.old = nullptr;
    }
    errno = 0;
    void* const block = function.call(asked);
    const int error = errno;
    const auto what = [&] {
      return std::string(function.name) + " count " + std::to_string(asked.count) + " size " +
             std::to_string(asked.size) + " alignment " + std::to_string(asked.alignment);
    };
    const int wanted = expected(function, asked);
    ASSERT_EQ(block == nullptr, wanted != 0) << what();
    if (wanted != 0) {
      ASSERT_EQ(error, wanted) << what();
      if (asked.old != nullptr) ASSERT_STREQ(static_cast<char*>(asked.old), "as it was") << what();
      xi_free(asked.old);
      return;
    }
    const size_t offset = function.has_offset ? asked.offset : 0;
    if (function.aligns) ASSERT_TRUE(is_aligned(address_of(block) + offset, asked.alignment)) << what();
    ASSERT_GE(xi_usable_size(block), function.counts ? asked.count * asked.size : asked.size) << what();
    xi_free(block);
  }
};

TEST_F(BadInputTest, SizesAlignmentsAndProductsAtEachBoundary) {
  xi_heap_t* const heap = xi_heap_new();
  char resize;
  for (const Function& function : kFunctions) {
    for (const size_t size : kSizes) {
      for (const size_t alignment : kAlignments) {
        if (!function.aligns && alignment != 16) continue;
        for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, size_t{1} << 62, SIZE_MAX}) {
          if (!function.counts && count != 1) continue;
          for (void* const old : {static_cast<void*>(nullptr), static_cast<void*>(&resize)}) {
            if (!function.resizes && old != nullptr) continue;
            ask(function, {heap, old, count, size, alignment, 8});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
    xi_collect(true);
  }
  xi_heap_delete(heap);
  EXPECT_EQ(statistics.live_blocks.get(), 0);
}

TEST_F(BadInputTest, NoHeapAndAnotherThreadsHeap) {
  xi_heap_t* const heap = xi_heap_new();
  std::thread([&] {
    void* const block = xi_malloc(40);
    for (const Function& function : kFunctions) {
      if (!function.has_heap) continue;
      for (xi_heap_t* const which : {static_cast<xi_heap_t*>(nullptr), heap}) {
        errno = 0;
        EXPECT_EQ(function.call({which, block, 1, 8, 16, 8}), nullptr) << function.name;
        EXPECT_EQ(errno, which == nullptr ? EINVAL : EPERM) << function.name;
      }
    }
    xi_free(block);
  }).join();
  xi_heap_destroy(heap);
}

TEST_F(BadInputTest, NothingInThePlaceOfABlock) {
  xi_free(nullptr);
  xi_cfree(nullptr);
  xi_free_size(nullptr, 8);
  xi_free_size_aligned(nullptr, 8, 16);
  xi_free_aligned(nullptr, 16);
  xi_free_small(nullptr);
  xi_ufree(nullptr, nullptr);
  EXPECT_EQ(xi_usable_size(nullptr), 0u);
  EXPECT_EQ(xi_malloc_size(nullptr), 0u);
  EXPECT_FALSE(xi_check_owned(nullptr));
  EXPECT_FALSE(xi_is_in_heap_region(nullptr));
  EXPECT_EQ(xi_strdup(nullptr), nullptr);
  EXPECT_EQ(xi_strndup(nullptr, 3), nullptr);
  EXPECT_EQ(xi_reallocarr(nullptr, 1, 1), EINVAL);
  EXPECT_EQ(statistics.live_blocks.get(), 0);
}

}  // namespace
}  // namespace xi
