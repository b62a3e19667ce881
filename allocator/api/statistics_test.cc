// Every statistic counts what its row says, and both forms show it.
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/config.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

using StatisticsTest = FreshAllocator;

std::string json() {
  std::string text(xi_stats_get_json(0, nullptr) + 1, '\0');
  EXPECT_EQ(xi_stats_get_json(text.size(), text.data()), text.size() - 1);
  text.pop_back();
  return text;
}

std::string row(const char* name, int64_t now, int64_t peak, int64_t total) {
  return std::string("\"") + name + "\":{\"now\":" + std::to_string(now) + ",\"peak\":" + std::to_string(peak) +
         ",\"total\":" + std::to_string(total) + "}";
}

void expect_figure(const char* name, int64_t now, int64_t peak, int64_t total) {
  EXPECT_NE(json().find(row(name, now, peak, total)), std::string::npos) << row(name, now, peak, total) << json();
}

TEST_F(StatisticsTest, PagesAndBlocks) {
  void* const small = xi_malloc(100);  // rounded up to 112
  void* const huge = xi_malloc(kMiB);
  expect_figure("arenas", 1, 1, 1);
  expect_figure("reserved_bytes", kGiB, kGiB, kGiB);
  expect_figure("committed_bytes", kMiB + kSliceSize, kMiB + kSliceSize, kMiB + kSliceSize);
  expect_figure("pages", 2, 2, 2);
  expect_figure("huge_pages", 1, 1, 1);
  expect_figure("heaps", 1, 1, 1);
  expect_figure("slow_paths", 2, 2, 2);
  expect_figure("live_blocks", 2, 2, 2);
  expect_figure("live_bytes", kMiB + 112, kMiB + 112, kMiB + 112);
  xi_free(huge);
  xi_collect(true);
  expect_figure("huge_pages", 0, 1, 1);
  expect_figure("purged_bytes", kMiB, kMiB, kMiB);
  expect_figure("committed_bytes", kSliceSize, kMiB + kSliceSize, kMiB + kSliceSize);
  expect_figure("live_blocks", 1, 2, 2);
  expect_figure("live_bytes", 112, kMiB + 112, kMiB + 112);
  xi_free(small);
  expect_figure("live_bytes", 0, kMiB + 112, kMiB + 112);
}

TEST_F(StatisticsTest, AMappingOfItsOwnIsReserved) {
  void* const block = xi_aligned_alloc(size_t{1} << 30, 10);
  expect_figure("reserved_bytes", kSliceSize, kSliceSize, kSliceSize);
  xi_free(block);
  expect_figure("reserved_bytes", 0, kSliceSize, kSliceSize);
  volatile size_t too_large = size_t{1} << 46;
  EXPECT_EQ(xi_aligned_alloc(too_large, 10), nullptr);
  expect_figure("reserved_bytes", 0, kSliceSize, kSliceSize);
}

TEST_F(StatisticsTest, ThreadsAndWhatTheyLeave) {
  xi_free(xi_malloc(8));
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 5; ++i) blocks.push_back(xi_malloc(1024));
    expect_figure("heaps", 2, 2, 2);
  }).join();
  expect_figure("heaps", 1, 2, 2);
  expect_figure("abandoned_pages", 1, 1, 1);
  const std::string merged = row("slow_paths", 3, 3, 3);
  EXPECT_NE(json().find(merged), std::string::npos) << "the ended thread's are not lost: " << json();
  blocks.push_back(xi_malloc(1024));
  expect_figure("abandoned_pages", 0, 1, 1);
  expect_figure("reclaimed_pages", 1, 1, 1);
  for (void* block : blocks) xi_free(block);
}

TEST_F(StatisticsTest, ResetForgetsThePast) {
  void* const small = xi_malloc(100);
  xi_free(xi_malloc(kMiB));
  EXPECT_EQ(unmerged_slow_paths(), 2);
  xi_stats_reset();
  EXPECT_EQ(unmerged_slow_paths(), 0);
  expect_figure("live_bytes", 112, 112, 112);
  xi_free(xi_malloc(kMiB));
  xi_stats_merge();
  EXPECT_EQ(unmerged_slow_paths(), 0);
  expect_figure("slow_paths", 3, 3, 3);
  expect_figure("live_bytes", 112, kMiB + 112, kMiB + 112);
  xi_free(small);
}

TEST_F(StatisticsTest, TextHasALineForEach) {
  void* const block = xi_malloc(100);
  std::string text;
  const auto append = [](const char* part, void* argument) { *static_cast<std::string*>(argument) += part; };
  xi_stats_print_out(append, &text);
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), kStatisticCount + 2);
  EXPECT_NE(text.find("live_bytes         now 112, peak 112, total 112\n"), std::string::npos) << text;
  testing::internal::CaptureStderr();
  xi_stats_print(nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), text);
  std::string thread_text;
  xi_thread_stats_print_out(append, &thread_text);
  EXPECT_NE(thread_text.find("thread_blocks      now 1,"), std::string::npos) << thread_text;
  EXPECT_NE(thread_text.find("thread_bytes       now 112,"), std::string::npos) << thread_text;
  EXPECT_NE(thread_text.find("thread_slow_paths  now 1,"), std::string::npos) << thread_text;
  std::thread([&] {
    thread_text.clear();
    xi_thread_stats_print_out(append, &thread_text);
    EXPECT_NE(thread_text.find("thread_pages       now 0,"), std::string::npos) << thread_text;
  }).join();
  xi_free(block);
}

TEST_F(StatisticsTest, JsonIsCutOffWhereTheBufferEnds) {
  const std::string whole = json();
  EXPECT_EQ(whole.front(), '{');
  EXPECT_EQ(whole.back(), '}');
  char part[11];
  memset(part, 'x', sizeof part);
  EXPECT_EQ(xi_stats_get_json(10, part), whole.size());
  EXPECT_EQ(std::string(part), whole.substr(0, 9));
  EXPECT_EQ(part[10], 'x');
}

TEST_F(StatisticsTest, ManyThreadsLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (size_t i = 0; i < 3000; ++i) xi_free(xi_malloc(i % 700));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(statistics.live_blocks.get(), 0);
  EXPECT_EQ(statistics.live_blocks.total(), 12'000);
  EXPECT_EQ(statistics.live_bytes.get(), 0);
  EXPECT_EQ(statistics.heaps.get(), 0);
}

TEST_F(StatisticsTest, WhatIsWalkedForIsWhatLives) {
  std::vector<void*> blocks;
  const auto fill = [&blocks] {
    for (size_t size = 1; size < 2'000'000; size = size * 3 / 2 + 1) {
      for (int i = 0; i < 20; ++i) blocks.push_back(xi_malloc(size));
    }
  };
  const auto expect_walked = [] {
    const int64_t count = statistics.live_blocks.get(), bytes = statistics.live_bytes.get();
    expect_figure("walked_blocks", count, count, count);
    expect_figure("walked_bytes", bytes, bytes, bytes);
    EXPECT_EQ(structure_faults(), "");
  };
  expect_walked();
  fill();
  xi_heap_t* const heap = xi_heap_new();
  for (size_t i = 0; i < 50; ++i) blocks.push_back(xi_heap_malloc(heap, i * 100));
  std::thread(fill).join();
  expect_walked();
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); i += 3) xi_free(blocks[i]);
  }).join();
  expect_walked();
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 3 != 0) xi_free(blocks[i]);
  }
  expect_figure("walked_blocks", 0, 0, 0);
  xi_heap_delete(heap);
}

// Whatever was done: when all is freed and collected, nothing is left but address space, and one heap.
TEST_F(StatisticsTest, AllBalancesWhenAllIsFreed) {
  std::vector<void*> blocks[4];
  std::vector<std::thread> threads;
  for (std::vector<void*>& mine : blocks) {
    threads.emplace_back([&mine] {
      xi_heap_t* const heap = xi_heap_new();
      for (size_t size = 1; size < 3'000'000; size = size * 5 / 3 + 1) {
        for (int i = 0; i < 9; ++i) mine.push_back(i % 2 == 0 ? xi_malloc(size) : xi_heap_malloc(heap, size));
        mine.push_back(xi_aligned_alloc(size_t{1} << 27, size));
      }
      for (size_t i = 0; i < mine.size(); i += 4) mine[i] = xi_realloc(mine[i], 100 * i);
      xi_heap_delete(heap);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(statistics.committed_bytes.get(), 0);
  for (const std::vector<void*>& mine : blocks) {
    for (void* block : mine) xi_free(block);
  }
  xi_collect(true);
  for (const Figure Statistics::* figure :
       {&Statistics::committed_bytes, &Statistics::pages, &Statistics::huge_pages, &Statistics::abandoned_pages,
        &Statistics::live_blocks, &Statistics::live_bytes}) {
    EXPECT_EQ((statistics.*figure).get(), 0);
    EXPECT_GT((statistics.*figure).peak(), 0);
  }
  EXPECT_EQ(statistics.heaps.get(), 0) << "this thread has only freed";
  EXPECT_EQ(statistics.reserved_bytes.get(), statistics.arenas.get() << 30);
}

TEST_F(StatisticsTest, WhatTheKernelKnows) {
  size_t elapsed = 0, user = 0, system = 0, resident = 0, peak = 0, commit = 0, peak_commit = 0, faults = 0;
  xi_free(xi_malloc(kMiB));
  xi_collect(true);
  xi_process_info(&elapsed, &user, &system, &resident, &peak, &commit, &peak_commit, &faults);
  EXPECT_GT(resident, size_t{100} << 10);
  EXPECT_GE(peak + (size_t{1} << 20), resident);
  EXPECT_LT(elapsed, size_t{3600} * 1000);
  EXPECT_LE(user + system, (elapsed + 1000) * 64);
  EXPECT_EQ(commit, 0u);
  EXPECT_EQ(peak_commit, kMiB);
  xi_process_info(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace xi
