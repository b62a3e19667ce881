// Functions of the program that the allocator calls, and the life of process and threads.
#include <cerrno>
#include <thread>
#include <vector>

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/config.h"
#include "allocator/heap/thread_heap.h"

namespace xi {
namespace {

using HooksTest = FreshAllocator;

size_t opaque(size_t value) {
  volatile size_t copy = value;
  return copy;
}

TEST_F(HooksTest, TheErrorFunctionHearsOfEachCallThatFails) {
  std::vector<int> heard;
  xi_register_error(
      [](int error, void* argument) {
        static_cast<std::vector<int>*>(argument)->push_back(error);
        errno = 4711;
      },
      &heard);
  void* const block = xi_malloc(8);
  const auto expect_error = [&](int error, void* result) {
    EXPECT_EQ(result, nullptr);
    EXPECT_EQ(errno, error) << "the function's own errno does not matter";
    EXPECT_EQ(heard, std::vector<int>{error});
    heard.clear();
  };
  expect_error(ENOMEM, xi_malloc(opaque(SIZE_MAX)));
  expect_error(ENOMEM, xi_zalloc(opaque(SIZE_MAX)));
  expect_error(ENOMEM, xi_calloc(opaque(SIZE_MAX), 2));
  expect_error(ENOMEM, xi_realloc(block, opaque(SIZE_MAX)));
  expect_error(ENOMEM, xi_reallocn(block, opaque(SIZE_MAX), 2));
  expect_error(ENOMEM, xi_expand(block, 1000));
  expect_error(EINVAL, xi_expand(nullptr, 1));
  expect_error(EINVAL, xi_aligned_alloc(opaque(24), 1));
  expect_error(EINVAL, xi_strdup(nullptr));
  xi_register_error(nullptr, nullptr);
  EXPECT_EQ(xi_malloc(opaque(SIZE_MAX)), nullptr);
  EXPECT_TRUE(heard.empty());
  xi_free(block);
}

TEST_F(HooksTest, TheOutputFunctionGetsTheText) {
  std::string text;
  xi_register_output([](const char* part, void* argument) { *static_cast<std::string*>(argument) += part; }, &text);
  int local = 0;
  testing::internal::CaptureStderr();
  xi_free(&local);
  xi_options_print();
  xi_stats_print(nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(text.find("not a live block of this allocator; ignored\n"), std::string::npos);
  EXPECT_NE(text.find("purge_delay="), std::string::npos);
  EXPECT_NE(text.find("committed_bytes"), std::string::npos);
  auto* const block = static_cast<char*>(xi_malloc(100));
  EXPECT_DEATH(xi_free(block + 1), "no block begins there") << "last words go to stderr";
  xi_register_output(nullptr, nullptr);
  xi_free(block);
}

struct PutOff {
  std::vector<void*> blocks;
  int calls = 0, forced = 0;
  unsigned long long last = 0;
};

TEST_F(HooksTest, DeferredFreeRunsOnSlowPathsAndNotInsideItself) {
  PutOff put_off;
  xi_register_deferred_free(
      [](bool force, unsigned long long heartbeat, void* argument) {
        auto* const self = static_cast<PutOff*>(argument);
        ++self->calls;
        self->forced += force;
        EXPECT_GE(heartbeat, self->last);
        self->last = heartbeat;
        xi_free(xi_malloc(5 * kMiB));  // a slow path of its own
        for (void* block : self->blocks) xi_free(block);
        self->blocks.clear();
      },
      &put_off);
  put_off.blocks.push_back(xi_malloc(100));
  EXPECT_EQ(put_off.calls, 1);
  void* const fast = xi_malloc(100);
  EXPECT_EQ(put_off.calls, 1) << "a fast path";
  void* const slow = xi_malloc(kMiB);
  EXPECT_EQ(put_off.calls, 2);
  EXPECT_TRUE(put_off.blocks.empty());
  EXPECT_EQ(put_off.forced, 0);
  xi_collect(true);
  EXPECT_EQ(put_off.forced, 1);
  xi_register_deferred_free(nullptr, nullptr);
  xi_free(slow);
  xi_free(fast);
  EXPECT_EQ(put_off.calls, 3);
}

TEST_F(HooksTest, InitAndDoneAreOptional) {
  xi_process_init();
  EXPECT_FALSE(thread_state.has_heap());
  xi_thread_init();
  EXPECT_TRUE(thread_state.has_heap());
  const Heap* const heap = thread_state.heap;
  xi_thread_init();
  EXPECT_EQ(thread_state.heap, heap);
  void* const block = xi_malloc(100);
  xi_thread_done();
  xi_thread_done();
  EXPECT_FALSE(thread_state.has_heap());
  EXPECT_EQ(structure_faults(), "");
  void* const next = xi_malloc(100);
  EXPECT_TRUE(thread_state.has_heap());
  xi_free(block);
  xi_free(next);
  xi_process_done();
  EXPECT_EQ(footprint().committed, 0u);
  EXPECT_NE(xi_malloc(8), nullptr);
}

}  // namespace
}  // namespace xi
