// Arenas that a program has made, and heaps that are bound to one.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/arena/arena_set.h"
#include "allocator/base/bits.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

constexpr size_t kArena = 4 * kMiB;

class ArenaApiTest : public FreshAllocator {
 protected:
  static xi_arena_id_t reserve(size_t size, bool exclusive) {
    xi_arena_id_t arena = nullptr;
    EXPECT_EQ(xi_reserve_os_memory_ex(size, false, false, exclusive, &arena), 0);
    return arena;
  }
  static bool lies_in(xi_arena_id_t arena, const void* block) {
    size_t size = 0;
    const auto* const start = static_cast<const char*>(xi_arena_area(arena, &size));
    return block >= start && block < start + size;
  }
  static void expect_no_memory(void* result) {
    EXPECT_EQ(result, nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
  }
  // Blocks of `size` until there are no more.
  static std::vector<char*> fill(xi_heap_t* heap, size_t size) {
    std::vector<char*> blocks;
    while (void* const block = xi_heap_malloc(heap, size)) blocks.push_back(static_cast<char*>(block));
    expect_no_memory(nullptr);
    return blocks;
  }
};

TEST_F(ArenaApiTest, AHeapInAnArenaAllocatesThereAndNowhereElse) {
  for (const bool exclusive : {false, true}) {
    xi_debug_reset();
    const xi_arena_id_t arena = reserve(kArena, exclusive);
    size_t size = 0;
    EXPECT_NE(xi_arena_area(arena, &size), nullptr);
    EXPECT_EQ(size, kArena);
    xi_heap_t* const heap = xi_heap_new_in_arena(arena);
    ASSERT_NE(heap, nullptr);
    for (size_t wanted = 1; wanted <= kMiB; wanted *= 4) EXPECT_TRUE(lies_in(arena, xi_heap_malloc(heap, wanted)));
    EXPECT_TRUE(lies_in(arena, xi_heap_malloc_aligned(heap, 100, 256 * kKiB)));
    errno = 0;
    expect_no_memory(xi_heap_malloc_aligned(heap, 100, kGiB));
    expect_no_memory(xi_heap_malloc(heap, kArena + 1));
    void* const plain = xi_malloc(100);
    EXPECT_EQ(lies_in(arena, plain), !exclusive);
    EXPECT_EQ(structure_faults(), "");
    xi_free(plain);
    xi_heap_destroy(heap);
    xi_collect(true);
    EXPECT_EQ(footprint().committed, 0u);
  }
}

TEST_F(ArenaApiTest, AFullOneIsNullAtOnceAndServesAgainAfterAFree) {
  const xi_arena_id_t arena = reserve(kArena, true);
  xi_heap_t* const heap = xi_heap_new_in_arena(arena);
  const uint64_t mapped = footprint().mapped;
  std::vector<char*> blocks = fill(heap, 60'000);
  EXPECT_EQ(blocks.size(), kArena / (8 * kSliceSize) * 8) << "no room was wasted";
  EXPECT_EQ(footprint().mapped, mapped) << "it looked nowhere else";
  EXPECT_EQ(statistics.arenas.get(), 1);
  xi_free(blocks.back());
  EXPECT_EQ(xi_heap_malloc(heap, 60'000), blocks.back());
  std::thread([&] { xi_free(blocks.front()); }).join();
  EXPECT_EQ(xi_heap_malloc(heap, 60'000), blocks.front()) << "freed by another thread";
  xi_free(xi_malloc(60'000));
  EXPECT_EQ(statistics.arenas.get(), 2);
  xi_heap_destroy(heap);
  EXPECT_EQ(fill(xi_heap_new_in_arena(arena), 60'000).size(), blocks.size());
}

// What a heap leaves behind in an exclusive arena is freed one by one, and is nobody's to allocate from meanwhile.
TEST_F(ArenaApiTest, WhatADeletedHeapLeavesInAnExclusiveArenaIsNotUsedByOthers) {
  const xi_arena_id_t arena = reserve(kArena, true);
  for (const bool thread_ends : {false, true}) {
    std::vector<char*> blocks;
    const auto leave_blocks = [&] {
      xi_heap_t* const heap = xi_heap_new_in_arena(arena);
      for (size_t i = 0; i < 500; ++i) {
        blocks.push_back(static_cast<char*>(memset(xi_heap_malloc(heap, 1000), 7, 1000)));
      }
      xi_heap_delete(heap);
      EXPECT_EQ(structure_faults(), "");
    };
    thread_ends ? std::thread(leave_blocks).join() : leave_blocks();
    for (size_t i = 0; i < blocks.size(); i += 2) xi_free(blocks[i]);
    for (size_t i = 0; i < 1000; ++i) EXPECT_FALSE(lies_in(arena, xi_malloc(1000)));
    EXPECT_EQ(structure_faults(), "");
    for (size_t i = 1; i < blocks.size(); i += 2) {
      EXPECT_EQ(*blocks[i], 7);
      xi_free(blocks[i]);
    }
    EXPECT_EQ(arena_of(address_of(xi_arena_area(arena, nullptr)))->free.population(), kArena / kSliceSize);
  }
}

TEST_F(ArenaApiTest, ADeletedHeapLeavesASharedArenaToAll) {
  const xi_arena_id_t arena = reserve(kArena, false);
  xi_heap_t* const heap = xi_heap_new_in_arena(arena);
  void* const block = xi_heap_malloc(heap, 1000);
  xi_heap_delete(heap);
  void* const next = xi_malloc(1000);
  EXPECT_EQ(page_map::find(next), page_map::find(block));
}

TEST_F(ArenaApiTest, ManagedMemoryIsTrustedForNothing) {
  for (const bool exclusive : {false, true}) {
    xi_debug_reset();
    auto* const memory = static_cast<unsigned char*>(xi_debug_map_for_program(kArena, true));
    memset(memory, 0xa5, kArena);
    xi_arena_id_t arena = nullptr;
    ASSERT_TRUE(xi_manage_os_memory_ex(memory, kArena, true, false, false, 3, exclusive, &arena));
    EXPECT_EQ(xi_arena_area(arena, nullptr), memory);
    EXPECT_TRUE(xi_is_in_heap_region(memory));
    EXPECT_EQ(footprint().mapped, 0u);
    xi_heap_t* const heap = xi_heap_new_in_arena(arena);
    for (int round = 0; round < 2; ++round) {
      std::vector<void*> blocks;
      for (size_t size : {8u, 1000u, 60'000u, 700'000u}) {
        auto* const block = static_cast<unsigned char*>(xi_heap_calloc(heap, 1, size));
        ASSERT_TRUE(lies_in(arena, block));
        EXPECT_EQ(block[0], 0);
        EXPECT_EQ(memcmp(block, block + 1, xi_usable_size(block) - 1), 0) << size;
        memset(block, 0xa5, xi_usable_size(block));
        blocks.push_back(block);
      }
      for (void* block : blocks) xi_free(block);
      xi_heap_collect(heap, true);
      EXPECT_EQ(structure_faults(), "");
      // What the program's mapping shows after it was given back need not be zeros.
      memset(memory, 0xa5, kArena);
    }
    xi_heap_destroy(heap);
  }
}

TEST_F(ArenaApiTest, ManagedMemoryIsNeitherDecommittedNorUnmappedAndGoesBackWhereItMay) {
  for (const bool pinned : {false, true}) {
    xi_debug_reset();
    void* const memory = xi_debug_map_for_program(kArena, true);
    ASSERT_TRUE(xi_manage_os_memory(memory, kArena, true, pinned, true, -1));
    void* const block = xi_malloc(100'000);
    EXPECT_GE(block, memory);
    xi_free(block);
    static int discards, others;
    discards = others = 0;
    xi_debug_set_os_hook(
        [](void*, const xi_os_call_t* call) { return ++(call->kind == XI_OS_MADVISE ? discards : others), 0; }, nullptr,
        nullptr);
    xi_collect(true);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_EQ(discards, pinned ? 0 : 1);
    EXPECT_EQ(others, 0);
    EXPECT_TRUE(xi_debug_is_committed(memory, kArena));
  }
}

// Inside of pages that live on too: never where the memory is pinned, and what has gone is not taken for zero.
TEST_F(ArenaApiTest, ManagedMemoryOfFreeBlocksGoesBackWhereItMay) {
  for (const bool pinned : {false, true}) {
    xi_debug_reset();
    void* const memory = xi_debug_map_for_program(kArena, true);
    xi_arena_id_t arena = nullptr;
    ASSERT_TRUE(xi_manage_os_memory_ex(memory, kArena, true, pinned, true, -1, true, &arena));
    xi_heap_t* const heap = xi_heap_new_in_arena(arena);
    std::vector<char*> blocks;
    for (size_t i = 0; i < kSliceSize / 1024; ++i) {
      blocks.push_back(static_cast<char*>(memset(xi_heap_malloc(heap, 1024), 9, 1024)));
    }
    for (size_t i = 1; i < blocks.size(); ++i) xi_free(blocks[i]);
    static size_t discarded;
    discarded = 0;
    const auto count = [](void*, const xi_os_call_t* call) {
      discarded += call->kind == XI_OS_MADVISE || call->kind == XI_OS_PROCESS_MADVISE ? call->size : 0;
      return 0;
    };
    xi_debug_set_os_hook(count, nullptr, nullptr);
    xi_heap_collect(heap, true);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_EQ(discarded, pinned ? 0 : kSliceSize - kOsPageSize);
    // What a mapping of a file would show there.
    if (!pinned) memset(blocks[4], 0xDB, kSliceSize - kOsPageSize);
    for (size_t i = 1; i < blocks.size(); ++i) {
      const auto* const block = static_cast<const char*>(xi_heap_zalloc(heap, 1024));
      EXPECT_EQ(std::count(block, block + 1024, 0), 1024);
    }
    EXPECT_EQ(*blocks[0], 9);
    xi_heap_destroy(heap);
  }
}

TEST_F(ArenaApiTest, ATagIsShownAndAHeapMayBeSparedFromDestruction) {
  xi_heap_t* const heap = xi_heap_new_ex(200, false, nullptr);
  auto* const block = static_cast<char*>(memset(xi_heap_malloc(heap, 100), 5, 100));
  int tag = -1;
  const auto see = [](const xi_heap_t*, const xi_heap_area_t* area, void*, size_t, void* context) {
    *static_cast<int*>(context) = area->heap_tag;
    return true;
  };
  EXPECT_TRUE(xi_heap_visit_blocks(heap, true, see, &tag));
  EXPECT_EQ(tag, 200);
  xi_heap_destroy(heap);
  EXPECT_EQ(std::count(block, block + 100, 5), 100);
  EXPECT_TRUE(xi_heap_contains_block(xi_heap_get_backing(), block));
  xi_free(block);
}

TEST_F(ArenaApiTest, ManagedMemoryThatIsNotAccessibleIsMadeSo) {
  void* const memory = xi_debug_map_for_program(kArena, false);
  xi_arena_id_t arena = nullptr;
  ASSERT_TRUE(xi_manage_os_memory_ex(memory, kArena, false, false, true, -1, true, &arena));
  xi_heap_t* const heap = xi_heap_new_in_arena(arena);
  FailCalls fail{kCommits, 1, true};
  fail.install();
  errno = 0;
  expect_no_memory(xi_heap_malloc(heap, 100));
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  memset(xi_heap_malloc(heap, 100'000), 1, 100'000);
}

TEST_F(ArenaApiTest, AnyMemoryOfTheProgramMayBeManaged) {
  static char array[10 * kSliceSize];
  void* const mapped = mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  xi_arena_id_t in_array = nullptr, in_mapping = nullptr;
  ASSERT_TRUE(xi_manage_os_memory_ex(array, sizeof array, true, false, true, -1, true, &in_array));
  ASSERT_TRUE(xi_manage_os_memory_ex(mapped, kArena, false, false, true, -1, true, &in_mapping));
  for (const xi_arena_id_t arena : {in_array, in_mapping}) {
    xi_heap_t* const heap = xi_heap_new_in_arena(arena);
    for (char* block : fill(heap, 3000)) memset(block, 1, 3000);
    EXPECT_EQ(structure_faults(), "");
    xi_heap_destroy(heap);
    xi_collect(true);
  }
  size_t size = 0;
  EXPECT_TRUE(is_aligned(address_of(xi_arena_area(in_array, &size)), kSliceSize));
  EXPECT_GE(size, 9 * kSliceSize) << "whole slices only";
  EXPECT_LE(size, 10 * kSliceSize);
  xi_debug_reset();
  munmap(mapped, kArena);
}

TEST_F(ArenaApiTest, WhatCannotBeManagedIsRefused) {
  const auto expect_invalid = [](const char* what, void* start, size_t size) {
    xi_arena_id_t arena = reinterpret_cast<xi_arena_id_t>(&errno);
    errno = 0;
    EXPECT_FALSE(xi_manage_os_memory_ex(start, size, true, false, false, -1, false, &arena)) << what;
    EXPECT_EQ(errno, EINVAL) << what;
    EXPECT_EQ(arena, nullptr) << what;
    EXPECT_FALSE(xi_manage_os_memory(start, size, true, false, false, -1)) << what;
  };
  auto* const memory = static_cast<char*>(xi_debug_map_for_program(kArena, true));
  expect_invalid("null", nullptr, kArena);
  expect_invalid("nothing", memory, 0);
  expect_invalid("too small", memory, kSliceSize - 1);
  expect_invalid("no whole slice", memory + 1, 2 * kSliceSize - 2);
  expect_invalid("beyond memory", memory, SIZE_MAX);
  expect_invalid("beyond memory", memory, size_t{1} << 47);
  expect_invalid("beyond memory", reinterpret_cast<void*>(UINTPTR_MAX - 100), kArena);
  expect_invalid("beyond memory", reinterpret_cast<void*>(uintptr_t{1} << 47), kArena);
  EXPECT_TRUE(xi_manage_os_memory(memory, kArena / 2, true, false, false, -1));
  expect_invalid("managed already", memory, kArena / 2);
  expect_invalid("overlaps at its start", memory + kArena / 4, kArena / 2);
  expect_invalid("an arena lies in it", memory, kArena);
  expect_invalid("a block", xi_malloc(kMiB), kMiB);
  expect_invalid("a block with a mapping of its own", xi_aligned_alloc(kGiB, kArena), kArena);
  size_t size = 0;
  void* const area = xi_arena_area(reserve(kArena, true), &size);
  expect_invalid("an arena", area, size);
  EXPECT_TRUE(xi_manage_os_memory(memory + kArena / 2, kArena / 2, true, false, false, -1)) << "the other half";
}

TEST_F(ArenaApiTest, WhatCannotBeReservedIsRefused) {
  xi_arena_id_t arena = reinterpret_cast<xi_arena_id_t>(&errno);
  errno = 0;
  EXPECT_EQ(xi_reserve_os_memory(0, false, false), EINVAL);
  EXPECT_EQ(xi_reserve_os_memory_ex(SIZE_MAX, false, false, true, &arena), ENOMEM);
  EXPECT_EQ(arena, nullptr);
  EXPECT_EQ(xi_reserve_os_memory(size_t{1} << 46, false, false), ENOMEM);
  EXPECT_EQ(xi_reserve_os_memory(size_t{5} << 30, true, false), ENOMEM) << "it cannot be committed";
  EXPECT_EQ(xi_reserve_huge_os_pages_at(SIZE_MAX, 0, 0), ENOMEM);
  EXPECT_EQ(xi_reserve_huge_os_pages_at(SIZE_MAX / 2 + 1, 0, 0), ENOMEM);
  EXPECT_EQ(errno, 0) << "they return their errors";
  EXPECT_EQ(footprint().mapped, 0u);
  EXPECT_EQ(statistics.arenas.get(), 0);
  for (const CallsFor& call : {kReserves, kMaps, kCommits}) {
    FailCalls fail{call, 1, true};
    fail.install();
    EXPECT_EQ(xi_reserve_os_memory(kArena, true, false), ENOMEM);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_EQ(footprint().mapped, 0u);
    EXPECT_EQ(structure_faults(), "");
  }
  void* const memory = xi_debug_map_for_program(kArena, true);
  FailCalls fail{kMaps, 1, true};
  fail.install();
  EXPECT_FALSE(xi_manage_os_memory(memory, kArena, true, false, false, -1));
  EXPECT_EQ(errno, ENOMEM);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  EXPECT_TRUE(xi_manage_os_memory(memory, kArena, true, false, false, -1)) << "it is still the program's";
}

TEST_F(ArenaApiTest, WhatIsNoArenaIsRefused) {
  size_t size = 1;
  errno = 0;
  EXPECT_EQ(xi_arena_area(nullptr, &size), nullptr);
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(errno, EINVAL);
  int something = 0;
  const auto wrong = reinterpret_cast<xi_arena_id_t>(&something);
  for (const xi_arena_id_t id : {wrong, static_cast<xi_arena_id_t>(nullptr)}) {
    errno = 0;
    EXPECT_EQ(xi_arena_area(id, nullptr), nullptr);
    EXPECT_EQ(xi_heap_new_in_arena(id), nullptr);
    EXPECT_EQ(errno, EINVAL);
  }
  errno = 0;
  EXPECT_EQ(xi_heap_new_ex(0, true, wrong), nullptr);
  EXPECT_EQ(errno, EINVAL);
  for (const int tag : {-1, 256}) {
    errno = 0;
    EXPECT_EQ(xi_heap_new_ex(tag, true, nullptr), nullptr);
    EXPECT_EQ(errno, EINVAL);
  }
}

TEST_F(ArenaApiTest, TheLimitIsHonouredAndLeavesNothingHalfMade) {
  xi_option_set(xi_option_arena_limit, 64 * kMiB);
  xi_option_set(xi_option_arena_reserve, 16 * kMiB);
  EXPECT_NE(reserve(40 * kMiB, true), nullptr);
  EXPECT_EQ(xi_reserve_os_memory(40 * kMiB, false, false), ENOMEM);
  EXPECT_EQ(xi_reserve_huge_os_pages_at(1, -1, 0), ENOMEM);
  EXPECT_EQ(footprint().mapped, 40 * kMiB);
  EXPECT_TRUE(xi_manage_os_memory(xi_debug_map_for_program(64 * kMiB, true), 64 * kMiB, true, false, true, -1))
      << "what the program has mapped is not counted";
  EXPECT_NE(reserve(24 * kMiB, true), nullptr);
}

// A program that makes arenas until it is refused can still allocate.
TEST_F(ArenaApiTest, ThereCanBeSoManyAndNoMore) {
  size_t made = 0;
  while (xi_reserve_os_memory(kSliceSize, false, false) == 0) ++made;
  EXPECT_EQ(made, kMaxProgramArenas);
  EXPECT_FALSE(xi_manage_os_memory(xi_debug_map_for_program(kArena, true), kArena, true, false, true, -1));
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_NE(xi_malloc(kArena), nullptr);
}

TEST_F(ArenaApiTest, CommittedMemoryNeedsTheSystemNoMore) {
  xi_arena_id_t arena = nullptr;
  ASSERT_EQ(xi_reserve_os_memory_ex(kArena, true, false, true, &arena), 0);
  EXPECT_EQ(footprint().committed, kArena);
  xi_heap_t* const heap = xi_heap_new_in_arena(arena);
  FailCalls fail{kCommits, 1, true};
  fail.install();
  auto* const block = static_cast<char*>(xi_heap_zalloc(heap, kMiB));
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block[kMiB - 1], 0);
  EXPECT_EQ(fail.seen, 0);
}

// The seam gives ordinary memory where a huge page is asked for, and the tester may say that there is none.
TEST_F(ArenaApiTest, HugePagesWhereThereAreSome) {
  xi_arena_id_t arena = nullptr;
  ASSERT_EQ(xi_reserve_huge_os_pages_at_ex(2, 0, 0, true, &arena), 0);
  size_t size = 0;
  EXPECT_TRUE(is_aligned(address_of(xi_arena_area(arena, &size)), kGiB));
  EXPECT_EQ(size, 2 * kGiB);
  EXPECT_EQ(footprint().committed, 2 * kGiB);
  xi_heap_t* const heap = xi_heap_new_in_arena(arena);
  char* const block = static_cast<char*>(xi_heap_zalloc(heap, 3 * kMiB));
  EXPECT_TRUE(lies_in(arena, block));
  block[0] = 1;
  xi_free(block);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 2 * kGiB) << "they are not given back";
  EXPECT_EQ(*static_cast<char*>(xi_heap_zalloc(heap, 3 * kMiB)), 0);
}

TEST_F(ArenaApiTest, HugePagesWhereThereAreFewOrNone) {
  static int left;
  const auto some = [](void*, const xi_os_call_t* call) {
    return call->kind == XI_OS_MMAP && call->address != nullptr && left-- <= 0 ? ENOMEM : 0;
  };
  left = 1;
  xi_debug_set_os_hook(some, nullptr, nullptr);
  xi_arena_id_t arena = nullptr;
  EXPECT_EQ(xi_reserve_huge_os_pages_at_ex(3, -1, 0, false, &arena), 0);
  size_t size = 0;
  EXPECT_NE(xi_arena_area(arena, &size), nullptr);
  EXPECT_EQ(size, kGiB);
  EXPECT_EQ(footprint().mapped, kGiB);
  left = 0;
  EXPECT_EQ(xi_reserve_huge_os_pages_at_ex(3, -1, 0, false, &arena), ENOMEM);
  EXPECT_EQ(arena, nullptr);
  EXPECT_EQ(footprint().mapped, kGiB);
  left = 1;
  EXPECT_EQ(xi_reserve_huge_os_pages_interleave(3, 2, 0), 0) << "one node had some";
  left = 0;
  EXPECT_EQ(xi_reserve_huge_os_pages_interleave(3, 2, 0), ENOMEM);
  EXPECT_EQ(xi_reserve_huge_os_pages_interleave(3, 0, 0), ENOMEM);
  size_t pages = 1;
  EXPECT_EQ(xi_reserve_huge_os_pages(1, 0.5, &pages), ENOMEM);
  EXPECT_EQ(pages, 0u);
  left = 1;
  EXPECT_EQ(xi_reserve_huge_os_pages(2, 1e30, &pages), 0);
  EXPECT_EQ(pages, 1u);
  EXPECT_EQ(xi_reserve_huge_os_pages(0, -1, nullptr), 0);
  EXPECT_EQ(xi_reserve_huge_os_pages_at(0, 0, 0), 0);
  EXPECT_EQ(xi_reserve_huge_os_pages_interleave(0, 4, 0), 0);
}

TEST_F(ArenaApiTest, LargePagesWhereThereAreSome) {
  static int left;
  xi_debug_set_os_hook(
      [](void*, const xi_os_call_t* call) {
        return call->kind == XI_OS_MMAP && call->address != nullptr && left-- <= 0 ? ENOMEM : 0;
      },
      nullptr, nullptr);
  left = 1;
  EXPECT_EQ(xi_reserve_os_memory(kArena + 1, false, true), 0);
  EXPECT_EQ(footprint().committed, kArena + 2 * kMiB) << "in pages of 2 MiB";
  EXPECT_EQ(xi_reserve_os_memory(kArena, false, true), 0) << "or in others";
  EXPECT_EQ(footprint().committed, kArena + 2 * kMiB);
}

TEST_F(ArenaApiTest, ATimeoutIsHonoured) {
  xi_debug_set_os_hook(
      [](void*, const xi_os_call_t* call) {
        if (call->kind == XI_OS_MMAP && call->address != nullptr) xi_debug_advance_clock(100);
        return 0;
      },
      nullptr, nullptr);
  size_t pages = 0;
  EXPECT_EQ(xi_reserve_huge_os_pages(4, 0.15, &pages), 0);
  EXPECT_EQ(pages, 2u);
  xi_debug_set_os_hook(
      [](void*, const xi_os_call_t* call) {
        xi_debug_advance_clock(100);
        return call->kind == XI_OS_MMAP && call->address != nullptr ? EAGAIN : 0;
      },
      nullptr, nullptr);
  EXPECT_EQ(xi_reserve_huge_os_pages_at(4, -1, 150), ENOMEM);
}

TEST_F(ArenaApiTest, ThePrintNamesEachArena) {
  static std::string text;
  text.clear();
  xi_register_output([](const char* part, void*) { text += part; }, nullptr);
  reserve(kArena, true);
  xi_manage_os_memory(xi_debug_map_for_program(kArena, true), kArena, true, true, true, 3);
  xi_free(xi_malloc(1));
  xi_arenas_print();
  xi_register_output(nullptr, nullptr);
  EXPECT_NE(text.find("arena 0: 0x"), std::string::npos) << text;
  EXPECT_NE(text.find("slices 64, free 64, committed 0, to purge 0, node -1, exclusive\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slices 64, free 63, committed 64, to purge 0, node 3, managed, pinned\n"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace xi
