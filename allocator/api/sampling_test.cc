// Guarded blocks, the heap profile, and what a program may ask and do about pages with room.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/heap/ownership.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page/bin.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/options.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

class GuardedTest : public FreshAllocator {
 protected:
  // Nothing behind its usable bytes can be touched.
  static bool is_guarded(void* block) {
    return !xi_debug_is_committed(static_cast<char*>(block) + xi_usable_size(block), 1);
  }
  static void* filled(void* block) { return memset(block, 0x42, xi_usable_size(block)); }
};

TEST_F(GuardedTest, EachNthBlockEndsWhereMemoryCannotBeTouched) {
  xi_heap_t* const heap = xi_heap_new();
  xi_heap_guarded_set_sample_rate(heap, 3, 7);
  std::vector<void*> blocks;
  for (size_t i = 0; i < 40; ++i) {
    void* const block = filled(xi_heap_malloc(heap, i * 100 + 1));
    blocks.push_back(block);
    EXPECT_EQ(is_guarded(block), i % 3 == 1) << i;
    EXPECT_EQ(xi_usable_size(block), xi_good_size(i * 100 + 1));
    EXPECT_TRUE(xi_heap_contains_block(heap, block));
    EXPECT_TRUE(is_aligned(address_of(block), 16));
  }
  EXPECT_EQ(structure_faults(), "");
  for (void* block : blocks) {
    EXPECT_EQ(static_cast<char*>(block)[xi_usable_size(block) - 1], 0x42);
    xi_free(block);
  }
  xi_heap_guarded_set_sample_rate(heap, 0, 0);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(is_guarded(xi_heap_malloc(heap, 100)));
  xi_heap_destroy(heap);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(GuardedTest, EveryFunctionCanServeOne) {
  xi_heap_t* const heap = xi_heap_new();
  xi_heap_guarded_set_sample_rate(heap, 1, 0);
  for (const size_t size : {0u, 1u, 8u, 24u, 1000u, 65'536u, 70'000u, 600'000u}) {
    void* block = filled(xi_heap_malloc(heap, size));
    EXPECT_TRUE(is_guarded(block)) << size;
    block = filled(xi_heap_realloc(heap, block, size + 5000));
    EXPECT_TRUE(is_guarded(block)) << size;
    xi_free(block);
    auto* const zeros = static_cast<char*>(xi_heap_zalloc(heap, size));
    EXPECT_TRUE(is_guarded(zeros));
    for (size_t i = 0; i < xi_usable_size(zeros); ++i) ASSERT_EQ(zeros[i], 0) << i;
    auto* const grown = static_cast<char*>(xi_heap_rezalloc(heap, zeros, size + 9000));
    for (size_t i = 0; i < size + 9000; ++i) ASSERT_EQ(grown[i], 0) << i;
    xi_free(grown);
    for (size_t alignment = 1; alignment <= kSliceSize; alignment *= 2) {
      void* const aligned = filled(xi_heap_malloc_aligned(heap, size, alignment));
      EXPECT_TRUE(is_aligned(address_of(aligned), alignment));
      EXPECT_TRUE(is_guarded(aligned)) << size << " " << alignment;
      void* const at = filled(xi_heap_malloc_aligned_at(heap, size, 32, 8));
      EXPECT_TRUE(is_aligned(address_of(at) + 8, 32));
      std::thread([&] { xi_free(aligned); }).join();
      xi_free(at);
    }
    EXPECT_EQ(structure_faults(), "");
  }
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  EXPECT_EQ(statistics.huge_pages.get(), 0);
  xi_heap_delete(heap);
}

TEST_F(GuardedTest, TheFirstBlockOfAThreadCanBeginInside) {
  xi_option_set(xi_option_guarded_sample_rate, 1);
  xi_option_set(xi_option_profile_interval, 1);
  std::thread([] {
    void* const at = filled(xi_malloc_aligned_at(1, 8, 1));
    EXPECT_TRUE(is_aligned(address_of(at) + 1, 8));
    EXPECT_TRUE(is_guarded(xi_malloc(1)));
    xi_free(at);
  }).join();
  EXPECT_EQ(structure_faults(), "");
}

TEST_F(GuardedTest, ATouchBehindItAndAfterItsFreeEndTheProcess) {
  xi_option_set(xi_option_guarded_sample_rate, 1);
  const auto touch = [](bool freed) {
    auto* const block = static_cast<volatile char*>(xi_malloc(64));
    const size_t at = freed ? 0 : xi_usable_size(const_cast<char*>(block));
    if (freed) xi_free(const_cast<char*>(block));
    block[at] = 1;
  };
  EXPECT_DEATH(touch(false), "");
  EXPECT_DEATH(touch(true), "");
  auto* const block = static_cast<char*>(xi_malloc(64));
  EXPECT_DEATH(xi_free(block + 8), "no block begins there");
  xi_free(block);
}

TEST_F(GuardedTest, OptionsSayHowAHeapBegins) {
  xi_option_set(xi_option_guarded_sample_rate, 2);
  xi_option_set(xi_option_guarded_sample_seed, 1);
  xi_option_set(xi_option_guarded_min, 100);
  xi_option_set(xi_option_guarded_max, 1000);
  std::vector<void*> blocks;
  const auto is_next = [&](size_t size) {
    blocks.push_back(xi_malloc(size));
    return is_guarded(blocks.back());
  };
  EXPECT_FALSE(is_next(100));
  EXPECT_FALSE(is_next(99)) << "not counted";
  EXPECT_TRUE(is_next(1000));
  EXPECT_FALSE(is_next(1001));
  EXPECT_FALSE(is_next(500));
  EXPECT_TRUE(is_next(500));
  xi_heap_guarded_set_size_bound(xi_heap_get_default(), 0, 10);
  EXPECT_FALSE(is_next(5));
  EXPECT_FALSE(is_next(500));
  EXPECT_TRUE(is_next(5));
  for (void* block : blocks) xi_free(block);
}

TEST_F(GuardedTest, WhatCannotBeGuardedIsServedAllTheSame) {
  xi_arena_id_t arena = nullptr;
  ASSERT_EQ(xi_reserve_os_memory_ex(16 * kMiB, true, false, true, &arena), 0);
  xi_heap_t* const bound = xi_heap_new_in_arena(arena);
  xi_heap_guarded_set_sample_rate(bound, 1, 0);
  size_t size = 0;
  void* const start = xi_arena_area(arena, &size);
  void* const inside = xi_heap_malloc(bound, 100);
  EXPECT_LT(address_of(inside) - address_of(start), size);
  xi_heap_t* const heap = xi_heap_new();
  xi_heap_guarded_set_sample_rate(heap, 1, 0);
  xi_free(xi_malloc(100));
  FailCalls fail{kMaps, 1, true};
  fail.install();
  void* const plain = xi_heap_malloc(heap, 100);
  EXPECT_NE(plain, nullptr);
  EXPECT_FALSE(is_guarded(plain));
  volatile size_t too_much = SIZE_MAX;
  EXPECT_EQ(xi_heap_malloc(heap, too_much), nullptr);
  too_much = PTRDIFF_MAX;
  EXPECT_EQ(xi_heap_malloc(heap, too_much), nullptr);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  std::thread([&] {
    errno = 0;
    xi_heap_guarded_set_sample_rate(heap, 1, 0);
    EXPECT_EQ(errno, EPERM);
    errno = 0;
    xi_heap_guarded_set_size_bound(nullptr, 1, 0);
    EXPECT_EQ(errno, EINVAL);
  }).join();
  xi_heap_destroy(heap);
  xi_heap_destroy(bound);
}

class ProfileTest : public FreshAllocator {
 protected:
  static std::string profile() {
    std::string text;
    xi_profile_print_out([](const char* part, void* to) { *static_cast<std::string*>(to) += part; }, &text);
    return text;
  }
  // Live samples of the profile, and their bytes.
  static std::pair<size_t, size_t> sampled() {
    const std::string text = profile();
    const std::regex first(R"(heap profile: (\d+): (\d+) \[\1: \2\] @ heap_v2/\d+\n)");
    std::smatch part;
    EXPECT_TRUE(std::regex_search(text, part, first, std::regex_constants::match_continuous)) << text.substr(0, 200);
    std::istringstream lines(text);
    const std::regex row(R"(1: (\d+) \[1: \1\] @( 0x[0-9a-f]+)+)");
    size_t rows = 0;
    for (std::string line; std::getline(lines, line);) rows += std::regex_match(line, row) ? 1 : 0;
    EXPECT_EQ(rows, std::stoul(part[1]));
    EXPECT_NE(text.find("\nMAPPED_LIBRARIES:\n"), std::string::npos);
    EXPECT_NE(text.find("[stack]"), std::string::npos);
    return {rows, std::stoul(part[2])};
  }
};

TEST_F(ProfileTest, WhatIsInUseIsSampledInProportion) {
  xi_option_set(xi_option_profile_interval, 4096);
  std::vector<void*> blocks;
  for (size_t i = 0; i < 8000; ++i) blocks.push_back(memset(xi_malloc(512), 7, 512));
  // 4 MB in the mean 4 KiB apart: 1000 samples, 32 more or fewer in the standard deviation.
  const auto [rows, bytes] = sampled();
  EXPECT_NEAR(static_cast<double>(rows), 1000, 200);
  EXPECT_EQ(bytes, rows * 512);
  EXPECT_EQ(structure_faults(), "");
  for (size_t i = 0; i < blocks.size(); i += 2) xi_free(blocks[i]);
  EXPECT_NEAR(static_cast<double>(sampled().first), 500, 150);
  std::thread([&] {
    for (size_t i = 1; i < blocks.size(); i += 2) xi_free(blocks[i]);
    xi_free(xi_malloc(2'000'000));
  }).join();
  EXPECT_EQ(sampled().first, 0u);
  xi_option_set(xi_option_profile_interval, 0);
  for (int i = 0; i < 2000; ++i) xi_free(blocks[static_cast<size_t>(i)] = xi_malloc(3000));
  EXPECT_EQ(sampled().first, 0u);
}

TEST_F(ProfileTest, WithoutTheOptionThereIsNone) {
  void* const block = xi_malloc(10 * kMiB);
  EXPECT_EQ(sampled().first, 0u);
  xi_free(block);
}

TEST_F(ProfileTest, MadeHeapsAreSampledToo) {
  xi_option_set(xi_option_profile_interval, 1);
  xi_heap_t* const heap = xi_heap_new();
  for (int i = 0; i < 10; ++i) EXPECT_NE(xi_heap_malloc(heap, 100), nullptr);
  EXPECT_EQ(sampled().first, 10u);
  xi_heap_destroy(heap);
  EXPECT_EQ(sampled().first, 0u);
}

TEST_F(ProfileTest, AFileOrAnErrno) {
  xi_option_set(xi_option_profile_interval, 1);
  void* const block = xi_malloc(100);
  const std::string path = testing::TempDir() + "ximalloc_profile_" + std::to_string(getpid());
  EXPECT_EQ(xi_profile_dump(path.c_str()), 0);
  std::ifstream file(path);
  std::string first;
  std::getline(file, first);
  EXPECT_EQ(first, "heap profile: 1: 100 [1: 100] @ heap_v2/1");
  EXPECT_EQ(remove(path.c_str()), 0);
  EXPECT_EQ(xi_profile_dump("/no such folder/profile"), ENOENT);
  EXPECT_EQ(xi_profile_dump("/dev/full"), ENOSPC);
  EXPECT_EQ(xi_profile_dump(nullptr), EINVAL);
  xi_free(block);
}

using RoomTest = FreshAllocator;

TEST_F(RoomTest, UnderUtilisedIsAPageThatIsNotAllocatedFrom) {
  std::vector<void*> blocks;
  for (int i = 0; i < 160; ++i) blocks.push_back(xi_malloc(1024));
  const auto ask = [](void* block, size_t percent) {
    return xi_unsafe_heap_page_is_under_utilized(nullptr, block, percent);
  };
  EXPECT_FALSE(ask(blocks.front(), 100)) << "it is full, and in no queue";
  // 12 of 64 are left in the first page.
  for (size_t i = 0; i < 52; ++i) xi_free(blocks[i]);
  void* const block = blocks[60];
  EXPECT_TRUE(ask(block, 25));
  EXPECT_TRUE(ask(block, 1000));
  EXPECT_FALSE(ask(block, 10));
  EXPECT_FALSE(ask(blocks.back(), 100)) << "the next block comes from there";
  EXPECT_TRUE(xi_unsafe_heap_page_is_under_utilized(xi_heap_get_default(), block, 25));
  xi_heap_t* const heap = xi_heap_new();
  EXPECT_FALSE(xi_unsafe_heap_page_is_under_utilized(heap, block, 100)) << "it is another heap's";
  EXPECT_FALSE(ask(nullptr, 100));
  EXPECT_FALSE(ask(&blocks, 100));
  std::thread([&] {
    EXPECT_FALSE(ask(block, 100)) << "a thread without a heap";
    xi_thread_init();
    errno = 0;
    EXPECT_FALSE(xi_unsafe_heap_page_is_under_utilized(heap, block, 100));
    EXPECT_EQ(errno, EPERM);
  }).join();
  xi_heap_delete(heap);
  for (size_t i = 52; i < blocks.size(); ++i) xi_free(blocks[i]);
}

TEST_F(RoomTest, ReducedAThreadKeepsNoMoreThanIsSaid) {
  std::vector<void*> blocks;
  for (size_t size : {16u, 1000u, 5000u, 40'000u}) {
    for (int i = 0; i < 3; ++i) blocks.push_back(xi_malloc(size));
  }
  const auto own = [] {
    size_t bytes = 0;
    for (const PageQueue& queue : thread_state.backing->queues) {
      for (const Page* page = queue.first(); page != nullptr; page = page->queue_next)
        bytes += page->slices << kSliceShift;
    }
    return bytes;
  };
  const size_t before = own();
  xi_collect_reduce(before);
  EXPECT_EQ(own(), before);
  xi_collect_reduce(2 * kSliceSize);
  EXPECT_LE(own(), 2 * kSliceSize);
  EXPECT_GT(own(), 0u);
  EXPECT_EQ(structure_faults(), "");
  xi_collect_reduce(0);
  EXPECT_EQ(own(), 0u);
  EXPECT_EQ(statistics.abandoned_pages.get(), 4);
  std::thread([&] {
    void* const block = xi_malloc(5000);
    EXPECT_EQ(statistics.reclaimed_pages.get(), 1) << "another thread takes one over";
    xi_free(block);
  }).join();
  std::thread([] { xi_collect_reduce(0); }).join();
  for (void* block : blocks) xi_free(block);
  xi_collect_reduce(0);
  EXPECT_EQ(footprint().committed, 0u);
}

using OptionNameTest = FreshAllocator;

TEST_F(OptionNameTest, EachHasOneAndNothingElse) {
  for (size_t i = 0; i < kOptionCount; ++i)
    EXPECT_STREQ(xi_option_name(static_cast<xi_option_t>(i)), option_table[i].name);
  errno = 0;
  EXPECT_EQ(xi_option_name(xi_option_count), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace xi
