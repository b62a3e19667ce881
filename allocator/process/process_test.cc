// Start, end, fork and reset.
#include "allocator/process/process.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/os/clock.h"
#include "allocator/os/seam.h"
#include "allocator/page/bin.h"
#include "allocator/support/options.h"

namespace xi {
namespace {

using ProcessTest = FreshAllocator;

// Another library's handler, as early as a library's own constructor can have it, that allocates when there is a fork.
bool allocates_before_fork = false;
[[gnu::constructor(102)]] void register_as_another_library() {
  pthread_atfork([] { static_cast<void>(allocates_before_fork && xi_malloc(3 << 20) == nullptr); }, nullptr, nullptr);
}

// Handlers registered first run last before a fork: ours take every lock, so that nobody's may come after them. In a
// process of its own, since it hangs where that is not so.
TEST_F(ProcessTest, HandlersOfOtherLibrariesMayAllocateBeforeAFork) {
  EXPECT_NE(xi_malloc(1), nullptr);
  const pid_t process = fork();
  if (process == 0) {
    allocates_before_fork = true;
    alarm(10);
    const pid_t child = fork();
    if (child == 0) _exit(xi_malloc(3 << 20) != nullptr ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    _exit(status == 0 ? 0 : 1);
  }
  int status = 1;
  waitpid(process, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(ProcessTest, AnyCallMayBeAThreadsFirst) {
  std::thread([] { EXPECT_NE(xi_calloc(3, 3), nullptr); }).join();
  std::thread([] { EXPECT_NE(xi_realloc(nullptr, 3), nullptr); }).join();
  std::thread([] { xi_free(nullptr); }).join();
  std::thread([] { EXPECT_EQ(xi_usable_size(nullptr), 0u); }).join();
  std::thread([] { xi_collect(true); }).join();
  std::thread([] { EXPECT_NE(xi_aligned_alloc(1 << 20, 3), nullptr); }).join();
  std::thread([] { EXPECT_NE(xi_malloc(100 << 20), nullptr); }).join();
}

TEST_F(ProcessTest, AThreadWithoutHeapMayFree) {
  void* const block = xi_malloc(100);
  void* const huge = xi_malloc(kMiB);
  std::thread([&] {
    xi_free(block);
    xi_free(huge);
    EXPECT_FALSE(thread_state.has_heap());
  }).join();
}

TEST_F(ProcessTest, NoMemoryForAHeapIsNullAndTheNextCallTriesAgain) {
  std::thread([] {
    FailCalls fail{kMaps, 1};
    fail.install();
    errno = 0;
    EXPECT_EQ(xi_malloc(1), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_NE(xi_malloc(1), nullptr);
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  }).join();
}

// A thread that does as if it ended has forgotten the key of before, and the program without a key needs none.
TEST_F(ProcessTest, AsIfAThreadEndedWithoutAKey) {
  std::thread([] {
    EXPECT_NE(xi_malloc(1), nullptr);
    xi_debug_end_thread();
    for (int i = 0; i < 2; ++i) {
      xi_debug_reset();
      FailCalls fail{kKeys, 1};
      fail.install();
      EXPECT_NE(xi_malloc(1), nullptr);
      if (i == 0) xi_debug_end_thread();
      xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    }
  }).join();
}

// A destructor of thread-local storage that allocates after our own has run gets a heap again, and that one ends too.
TEST_F(ProcessTest, DestructorsMayAllocate) {
  static pthread_key_t key;
  static void* left;
  pthread_key_create(&key, [](void*) {
    left = xi_malloc(64);
    xi_free(xi_malloc(5000));
  });
  std::thread([] {
    xi_free(xi_malloc(8));
    pthread_setspecific(key, &key);
  }).join();
  pthread_key_delete(key);
  for (const Heap* heap = first_heap(); heap != &main_orphans; heap = heap->next_heap)
    EXPECT_EQ(heap->state, HeapState::kUnused);
  xi_free(left);
  xi_collect(true);
  EXPECT_EQ(footprint().committed, 0u);
}

TEST_F(ProcessTest, WithoutAKeyThreadsWorkAndTheNextOneGetsIt) {
  FailCalls fail{kKeys, 1};
  fail.install();
  void* kept = nullptr;
  std::thread([&] { kept = xi_malloc(100); }).join();
  EXPECT_EQ(fail.seen, 1);
  std::thread([] { xi_free(xi_malloc(100)); }).join();
  EXPECT_EQ(fail.seen, 2);
  size_t live = 0;
  for (const Heap* heap = first_heap(); heap != nullptr; heap = heap->next_heap)
    live += heap->state == HeapState::kLive;
  EXPECT_EQ(live, 1u) << "only the first thread's heap was left behind";
  xi_free(kept);
}

TEST_F(ProcessTest, ThreadsThatStartTogetherAllEnd) {
  for (int round = 0; round < 30; ++round) {
    xi_debug_reset();
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t) threads.emplace_back([] { xi_free(xi_malloc(8)); });
    for (std::thread& thread : threads) thread.join();
    for (const Heap* heap = first_heap(); heap != &main_orphans; heap = heap->next_heap) {
      ASSERT_EQ(heap->state, HeapState::kUnused);
    }
  }
}

TEST_F(ProcessTest, IdsAreNeverUsedAgain) {
  ThreadId last = ThreadId::kNone;
  for (int i = 0; i < 5; ++i) {
    std::thread([&] {
      xi_free(xi_malloc(8));
      EXPECT_GT(thread_state.id, last);
      last = thread_state.id;
    }).join();
  }
}

int in_child(int (*work)()) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

std::vector<void*> blocks_of_all;

int use_everything() {
  for (void* block : blocks_of_all) {
    if (*static_cast<unsigned char*>(block) != 0x5a) return 2;
    xi_free(block);
  }
  for (size_t bin = 0; bin < kBinCount; ++bin) {
    void* const block = xi_malloc(Bin(bin).block_size());
    if (block == nullptr) return 3;
    memset(block, 1, Bin(bin).block_size());
    xi_free(block);
  }
#if __has_feature(thread_sanitizer)
  return 0;  // TSan allows no new threads in a child of several.
#else
  bool child_thread_ran = false;
  std::thread([&] {
    void* const block = xi_malloc(100);
    child_thread_ran = block != nullptr && thread_state.id != kUnknownThread;
    xi_free(block);
  }).join();
  return child_thread_ran ? 0 : 4;
#endif
}

size_t live_heaps() {
  size_t live = 0;
  for (const Heap* heap = first_heap(); heap != nullptr; heap = heap->next_heap)
    live += heap->state == HeapState::kLive;
  return live;
}

int use_everything_alone() {
  return live_heaps() == 1 ? use_everything() : 5;
}

TEST_F(ProcessTest, AChildFreesTheBlocksOfThreadsThatVanished) {
  blocks_of_all.clear();
  Atomic<bool> stop, ready;
  auto allocate = [&] {
    for (size_t bin = 0; bin < kBinCount; ++bin) {
      for (int i = 0; i < 9; ++i) {
        blocks_of_all.push_back(xi_malloc(Bin(bin).block_size()));
        memset(blocks_of_all.back(), 0x5a, Bin(bin).block_size());
      }
    }
    blocks_of_all.push_back(xi_malloc(3 * kMiB));
    memset(blocks_of_all.back(), 0x5a, 3 * kMiB);
  };
  std::thread other([&] {
    allocate();
    ready.store(true, kRelease);
    while (!stop.load(kAcquire)) std::this_thread::yield();
  });
  while (!ready.load(kAcquire)) std::this_thread::yield();
  allocate();
  EXPECT_EQ(live_heaps(), 2u);
  EXPECT_EQ(in_child(&use_everything_alone), 0);
  stop.store(true, kRelease);
  other.join();
  EXPECT_EQ(use_everything(), 0) << "the parent is none the worse for it";
}

// The handlers are there before any call: here a thread is on its way to its first block, and so to registering them.
// Proves something only as the first test of its process, as CTest runs it.
TEST(ForkHandlers, AreThereBeforeTheFirstCall) {
  Atomic<bool> held;
  std::thread other([&] {
    lock_heaps();
    held.store(true, kRelease);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    unlock_heaps();
  });
  while (!held.load(kAcquire)) std::this_thread::yield();
  EXPECT_EQ(in_child([] { return xi_malloc(1) == nullptr ? 1 : 0; }), 0);
  other.join();
}

// Other threads are in the middle of anything when the process forks.
TEST_F(ProcessTest, ForkUnderLoad) {
  Atomic<bool> stop;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop.load(kRelaxed)) {
        for (size_t size = 8; size < 3 * kMiB; size *= 4) xi_free(xi_malloc(size));
        xi_collect(false);
      }
    });
  }
  blocks_of_all.clear();
  for (int i = 0; i < 15; ++i) EXPECT_EQ(in_child(&use_everything), 0);
  stop.store(true, kRelaxed);
  for (std::thread& thread : threads) thread.join();
}

std::vector<uintptr_t> trace_of_a_program() {
  std::vector<uintptr_t> trace;
  std::vector<void*> blocks;
  for (size_t i = 0; i < 300; ++i) {
    blocks.push_back(i % 3 == 0 ? xi_aligned_alloc(size_t{16} << (i % 17), i) : xi_malloc((i * i * 37) % 900'000));
    trace.push_back(reinterpret_cast<uintptr_t>(blocks.back()));
    if (i % 4 == 1) {
      xi_free(blocks[i / 2]);
      blocks[i / 2] = nullptr;
    }
  }
  std::thread([&] {
    trace.push_back(reinterpret_cast<uintptr_t>(xi_malloc(77)));
    for (size_t i = 0; i < blocks.size(); i += 5) {
      xi_free(blocks[i]);
      blocks[i] = nullptr;
    }
  }).join();
  xi_debug_advance_clock(50);
  for (size_t i = 0; i < 50; ++i) trace.push_back(reinterpret_cast<uintptr_t>(xi_malloc(i * 1000)));
  trace.push_back(os::clock_ms());
  trace.push_back(static_cast<uintptr_t>(thread_state.id));
  return trace;
}

TEST_F(ProcessTest, AfterAResetTheSameCallsGetTheSameAnswers) {
  EXPECT_TRUE(xi_debug_addresses_are_fixed());
  const std::vector<uintptr_t> first = trace_of_a_program();
  options.purge_delay = 7;
  xi_debug_reset();
  EXPECT_EQ(footprint().mapped, 0u);
  EXPECT_EQ(trace_of_a_program(), first);
  xi_debug_reset();
  xi_free(xi_malloc(1 << 22));
  xi_debug_reset();
  EXPECT_EQ(trace_of_a_program(), first);
}

TEST_F(ProcessTest, AResetLeavesNothingBehind) {
  trace_of_a_program();
  void* const own_mapping = xi_aligned_alloc(size_t{1} << 30, 100'000);
  memset(own_mapping, 1, 100'000);
  memset(xi_malloc(3 * kMiB), 1, 3 * kMiB);
  // Pages of every bin that are abandoned, freed into by others, and ended.
  std::vector<void*> blocks;
  std::thread([&] {
    for (size_t bin = 0; bin < kBinCount; ++bin) {
      for (int i = 0; i < 3; ++i) {
        blocks.push_back(xi_malloc(Bin(bin).block_size()));
        memset(blocks.back(), 1, Bin(bin).block_size());
      }
    }
  }).join();
  for (size_t i = 0; i < blocks.size(); i += 2) xi_free(blocks[i]);
  xi_collect(true);
  xi_debug_reset();
  EXPECT_EQ(os::seam_first_dirty(), 0u);
}

TEST_F(ProcessTest, AResetReachesThreadsThatLiveOn) {
  Atomic<int> step;
  const auto wait_for = [&](int wanted) {
    while (step.load(kAcquire) != wanted) std::this_thread::yield();
  };
  std::thread other([&] {
    EXPECT_NE(xi_malloc(8), nullptr);
    step.store(1, kRelease);
    wait_for(2);
    EXPECT_FALSE(thread_state.has_heap());
    EXPECT_NE(xi_malloc(8), nullptr);
  });
  wait_for(1);
  xi_debug_reset();
  step.store(2, kRelease);
  other.join();
}

TEST_F(ProcessTest, OwnCodeIsKnown) {
  EXPECT_TRUE(xi_debug_owns_code(reinterpret_cast<const void*>(&xi_malloc)));
  EXPECT_TRUE(xi_debug_owns_code(reinterpret_cast<const void*>(&end_thread)));
  EXPECT_FALSE(xi_debug_owns_code(reinterpret_cast<const void*>(&trace_of_a_program)));
  EXPECT_FALSE(xi_debug_owns_code(reinterpret_cast<const void*>(&memset)));
}

}  // namespace
}  // namespace xi
