// xi_option_*, and that every option does what its row says.
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/config.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/options.h"

namespace xi {
namespace {

using OptionTest = FreshAllocator;

constexpr auto kNoSuchOption = static_cast<xi_option_t>(xi_option_count);

TEST_F(OptionTest, ValuesAreKeptInTheirRange) {
  for (size_t i = 0; i < kOptionCount; ++i) {
    const auto option = static_cast<xi_option_t>(i);
    const OptionRow& row = option_table[i];
    EXPECT_EQ(xi_option_get(option), row.standard) << row.name;
    for (const int64_t value : {row.smallest, row.largest}) {
      errno = 0;
      xi_option_set(option, value);
      EXPECT_EQ(xi_option_get(option), value) << row.name;
      EXPECT_EQ(errno, 0);
    }
    testing::internal::CaptureStderr();
    xi_option_set(xi_option_warnings, 1);
    for (const int64_t value : {row.smallest - 1, row.largest + 1}) {
      errno = 0;
      xi_option_set(option, value);
      EXPECT_EQ(errno, EINVAL) << row.name;
    }
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(xi_option_get(option), i == xi_option_warnings ? 1 : row.largest);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2);
    EXPECT_NE(said.find(std::string("ximalloc: option ") + row.name + "="), std::string::npos) << said;
    EXPECT_NE(said.find(": out of range; it stays as it is"), std::string::npos) << said;
    xi_option_set(option, row.standard);
  }
}

// Settings and counters are no choice points of a schedule, so that no exploration meets them: this is for the flavour
// tsan, which looks at what many threads do to them at a time.
TEST_F(OptionTest, AreFirstUsedChangedAndCountedByManyThreadsAtOnce) {
  constexpr int kThreads = 16;
  std::atomic<int> waiting{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&waiting, t] {
      waiting.fetch_sub(1, std::memory_order_relaxed);
      while (waiting.load(std::memory_order_relaxed) > 0) std::this_thread::yield();
      for (size_t i = 0; i < kOptionCount; ++i) {
        EXPECT_EQ(xi_option_get(static_cast<xi_option_t>(i)), option_table[i].standard) << option_table[i].name;
      }
      void* const block = xi_malloc(100);
      if (t % 4 == 0) xi_option_set(xi_option_purge_delay, option_table[xi_option_purge_delay].standard);
      char figures[4096];
      if (t % 4 == 1) EXPECT_GT(xi_stats_get_json(sizeof figures, figures), 0u);
      if (t % 4 == 2) xi_stats_reset();
      xi_free(block);
      xi_collect(true);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(OptionTest, WhatDoesNotExistIsZeroAndEINVAL) {
  for (const auto option : {kNoSuchOption, static_cast<xi_option_t>(-1)}) {
    errno = 0;
    EXPECT_EQ(xi_option_get(option), 0);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    xi_option_set(option, 1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_FALSE(xi_option_is_enabled(option));
    xi_option_enable(option);
    xi_option_disable(option);
    EXPECT_EQ(xi_option_get_size(option), 0u);
  }
}

TEST_F(OptionTest, DefaultsDoNotReplaceWhatWasSet) {
  xi_option_set_default(xi_option_purge_delay, 50);
  EXPECT_EQ(xi_option_get(xi_option_purge_delay), 50);
  xi_option_set(xi_option_purge_delay, 60);
  xi_option_set_default(xi_option_purge_delay, 70);
  EXPECT_EQ(xi_option_get(xi_option_purge_delay), 60);
  xi_option_set_enabled_default(xi_option_fill, true);
  EXPECT_TRUE(xi_option_is_enabled(xi_option_fill));
  xi_option_set_enabled(xi_option_fill, false);
  xi_option_set_enabled_default(xi_option_fill, true);
  EXPECT_FALSE(xi_option_is_enabled(xi_option_fill));
  xi_option_set_enabled(xi_option_fill, true);
  EXPECT_TRUE(xi_option_is_enabled(xi_option_fill));
  xi_debug_reset();
  xi_option_set_default(xi_option_purge_delay, 80);
  EXPECT_EQ(xi_option_get(xi_option_purge_delay), 80) << "a reset forgets what was set";
}

TEST_F(OptionTest, OtherWaysToRead) {
  xi_option_set(xi_option_purge_delay, -1);
  EXPECT_EQ(xi_option_get_size(xi_option_purge_delay), 0u);
  EXPECT_EQ(xi_option_get_clamp(xi_option_purge_delay, 5, 10), 5);
  EXPECT_TRUE(xi_option_is_enabled(xi_option_purge_delay)) << "not 0";
  xi_option_set(xi_option_purge_delay, 7);
  EXPECT_EQ(xi_option_get_clamp(xi_option_purge_delay, 5, 10), 7);
  EXPECT_EQ(xi_option_get_clamp(xi_option_purge_delay, 1, 2), 2);
  EXPECT_EQ(xi_option_get_size(xi_option_purge_delay), 7u);
}

TEST_F(OptionTest, PrintHasALineForEach) {
  xi_option_set(xi_option_purge_delay, -1);
  testing::internal::CaptureStderr();
  xi_options_print();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(static_cast<size_t>(std::count(said.begin(), said.end(), '\n')), kOptionCount);
  EXPECT_NE(said.find("purge_delay=-1 (XIMALLOC_PURGE_DELAY, default 10, -1 to 1000000000)\n"), std::string::npos)
      << said;
}

TEST_F(OptionTest, PurgeDelay) {
  xi_option_set(xi_option_purge_delay, 500);
  xi_free(xi_malloc(10 * kMiB));
  xi_debug_advance_clock(400);
  xi_collect(false);
  EXPECT_GT(footprint().committed, 0u);
  xi_debug_advance_clock(101);
  xi_collect(false);
  EXPECT_EQ(footprint().committed, 0u);
  xi_option_set(xi_option_purge_delay, 0);
  xi_free(xi_malloc(10 * kMiB));
  EXPECT_EQ(footprint().committed, 0u);
  xi_option_set(xi_option_purge_delay, -1);
  xi_free(xi_malloc(10 * kMiB));
  xi_debug_advance_clock(1'000'000);
  xi_collect(true);
  EXPECT_GT(footprint().committed, 0u);
}

TEST_F(OptionTest, PurgeDecommits) {
  for (const long decommits : {0, 1}) {
    xi_debug_reset();
    xi_option_set(xi_option_purge_decommits, decommits);
    void* const block = xi_malloc(10 * kMiB);
    xi_free(block);
    xi_collect(true);
    EXPECT_EQ(xi_debug_is_committed(block, 8), decommits == 0);
  }
}

TEST_F(OptionTest, ArenaReserveAndLimit) {
  xi_option_set(xi_option_arena_reserve, 16 * kMiB);
  xi_option_set(xi_option_arena_limit, 48 * kMiB);
  std::vector<void*> blocks;
  while (void* const block = xi_malloc(4 * kMiB)) blocks.push_back(block);
  EXPECT_EQ(footprint().mapped, 48 * kMiB);
  EXPECT_EQ(blocks.size(), 12u);
  xi_option_set(xi_option_arena_limit, 0);
  blocks.push_back(xi_malloc(4 * kMiB));
  EXPECT_NE(blocks.back(), nullptr) << "the limit is gone";
  for (void* block : blocks) xi_free(block);
}

TEST_F(OptionTest, RetireTicks) {
  for (const long ticks : {0, 3, 16}) {
    xi_debug_reset();
    xi_option_set(xi_option_retire_ticks, ticks);
    void* const block = xi_malloc(3000);
    xi_free(block);
    size_t slow_paths = 0;
    // Each huge block is a slow path of its own.
    for (; page_map::find(block) != nullptr; ++slow_paths) xi_free(xi_malloc(kMiB));
    EXPECT_EQ(slow_paths, static_cast<size_t>(ticks));
  }
}

TEST_F(OptionTest, ReclaimOnFree) {
  for (const bool reclaim : {true, false}) {
    xi_debug_reset();
    xi_option_set_enabled(xi_option_reclaim_on_free, reclaim);
    void* const mine = xi_malloc(16);
    void* blocks[2];
    std::thread([&] {
      for (void*& block : blocks) block = xi_malloc(1024);
    }).join();
    xi_free(blocks[0]);
    EXPECT_EQ(page_map::find(blocks[1])->owner_id(), reclaim ? thread_state.id : ThreadId::kNone);
    EXPECT_EQ(structure_faults(), "");
    xi_free(blocks[1]);
    xi_free(mine);
  }
}

TEST_F(OptionTest, Warnings) {
  int local = 0;
  xi_option_disable(xi_option_warnings);
  testing::internal::CaptureStderr();
  xi_free(&local);
  xi_option_set(xi_option_purge_delay, -2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  xi_option_enable(xi_option_warnings);
  testing::internal::CaptureStderr();
  xi_free(&local);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("not a live block"), std::string::npos) << "not said before";
}

// docs/options.md has a row for each option that says what the table says.
TEST(OptionsPage, HasARowForEach) {
  std::ifstream file(std::string(XIMALLOC_ROOT_FOR_TEST) + "/docs/options.md");
  ASSERT_TRUE(file);
  std::stringstream text;
  text << file.rdbuf();
  for (const OptionRow& row : option_table) {
    const std::string cells = std::string("| `") + row.name + "` | `" + row.variable + "` |";
    EXPECT_NE(text.str().find(cells), std::string::npos) << cells;
    EXPECT_NE(text.str().find(row.doc), std::string::npos) << row.doc;
  }
}

}  // namespace
}  // namespace xi
