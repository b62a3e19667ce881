#include "tests/conformance/rows.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <thread>

namespace assay {
namespace {

constexpr int kMark = 0x5A5A;
// Volatile, so that no compiler reasons about sizes that no object can have.
volatile size_t too_large = (~size_t{0} >> 1) + 1;
volatile size_t largest = ~size_t{0};

bool aligned(const void* block, size_t alignment) {
  return reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

bool all_bytes(const void* block, size_t size, unsigned char value) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  return std::all_of(bytes, bytes + size, [value](unsigned char byte) { return byte == value; });
}

void malloc_zero(const Subject& subject) {
  if (!subject.promises().zero_size_unique) GTEST_SKIP() << "malloc(0) may be NULL here";
  std::array<void*, 64> blocks{};
  for (void*& block : blocks) ASSERT_NE(block = subject.api().malloc(0), nullptr);
  std::sort(blocks.begin(), blocks.end());
  EXPECT_EQ(std::unique(blocks.begin(), blocks.end()), blocks.end());
  for (void* block : blocks) subject.api().free(block);
}

void too_large_sizes(const Subject& subject) {
  const SubjectApi& api = subject.api();
  for (const size_t size : {too_large + 0, too_large + 4096, largest - 4096, largest - 16, largest + 0}) {
    errno = 0;
    EXPECT_EQ(api.malloc(size), nullptr) << size;
    EXPECT_EQ(errno, ENOMEM) << size;
    errno = 0;
    EXPECT_EQ(api.calloc(1, size), nullptr) << size;
    EXPECT_EQ(errno, ENOMEM) << size;
    errno = 0;
    EXPECT_EQ(api.aligned_alloc(64, size / 64 * 64), nullptr) << size;
    EXPECT_EQ(errno, ENOMEM) << size;
    void* out = &errno;
    EXPECT_EQ(api.posix_memalign(&out, 64, size), ENOMEM) << size;
    EXPECT_EQ(out, &errno);
  }
}

void calloc_overflow(const Subject& subject) {
  for (const size_t count : {size_t{2}, size_t{3}, size_t{1} << 33, largest - 1}) {
    errno = 0;
    EXPECT_EQ(subject.api().calloc(count, largest / count + 2), nullptr) << count;
    EXPECT_EQ(errno, ENOMEM) << count;
  }
}

void calloc_zeroes(const Subject& subject) {
  const SubjectApi& api = subject.api();
  for (size_t size = 1; size <= size_t{8} << 20; size += size / 3 + 1) {
    void* dirty = api.malloc(size);
    ASSERT_NE(dirty, nullptr);
    std::memset(dirty, 0xA5, size);
    api.free(dirty);
    void* block = api.calloc(1, size);
    ASSERT_NE(block, nullptr);
    ASSERT_TRUE(all_bytes(block, size, 0)) << size;
    api.free(block);
  }
}

void realloc_null(const Subject& subject) {
  void* block = subject.api().realloc(nullptr, 100);
  ASSERT_NE(block, nullptr);
  std::memset(block, 1, 100);
  subject.api().free(block);
}

void realloc_zero(const Subject& subject) {
  const SubjectApi& api = subject.api();
  void* block = api.malloc(100);
  switch (subject.promises().realloc_zero) {
    case ReallocZero::kMinimal: {
      void* minimal = api.realloc(block, 0);
      ASSERT_NE(minimal, nullptr);
      void* other = api.malloc(0);
      EXPECT_NE(minimal, other);
      api.free(minimal);
      api.free(other);
      return;
    }
    case ReallocZero::kFrees: EXPECT_EQ(api.realloc(block, 0), nullptr); return;
    case ReallocZero::kKeeps:
      EXPECT_EQ(api.realloc(block, 0), nullptr);
      api.free(block);
      return;
    case ReallocZero::kUnknown: api.free(block); GTEST_SKIP() << "what realloc(p, 0) does is not known here";
  }
}

void realloc_contents(const Subject& subject) {
  const SubjectApi& api = subject.api();
  for (const size_t from : {1, 15, 16, 100, 1000, 5000, 70'000, 700'000}) {
    for (const size_t to : {1, 24, 99, 1024, 4097, 65'536, 1'000'000}) {
      auto* block = static_cast<unsigned char*>(api.malloc(from));
      for (size_t i = 0; i < from; ++i) block[i] = static_cast<unsigned char>(i * 7 + 3);
      auto* moved = static_cast<unsigned char*>(api.realloc(block, to));
      ASSERT_NE(moved, nullptr);
      for (size_t i = 0; i < std::min(from, to); ++i) {
        ASSERT_EQ(moved[i], static_cast<unsigned char>(i * 7 + 3)) << from << " to " << to << " at " << i;
      }
      std::memset(moved, 0xEE, to);
      api.free(moved);
    }
  }
}

void realloc_failure(const Subject& subject) {
  void* block = subject.api().malloc(64);
  std::memset(block, 0x42, 64);
  errno = 0;
  EXPECT_EQ(subject.api().realloc(block, too_large), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_TRUE(all_bytes(block, 64, 0x42));
  subject.api().free(block);
}

void aligned_any_size(const Subject& subject) {
  if (!subject.promises().aligned_alloc_any_size) GTEST_SKIP() << "not promised here";
  void* block = subject.api().aligned_alloc(256, 257);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(aligned(block, 256));
  std::memset(block, 1, 257);
  subject.api().free(block);
}

void aligned_bad_alignment(const Subject& subject) {
  if (!subject.promises().aligned_alloc_rejects_bad_alignment) GTEST_SKIP() << "not promised here";
  for (const size_t alignment : {size_t{0}, size_t{3}, size_t{6}, size_t{48}, size_t{4097}, largest + 0}) {
    errno = 0;
    EXPECT_EQ(subject.api().aligned_alloc(alignment, alignment), nullptr) << alignment;
    EXPECT_TRUE(errno == EINVAL || (errno == ENOMEM && alignment > too_large)) << alignment;
  }
}

// What this process may have; tests/limits runs the rows with little of it.
size_t memory_limit() {
  rlimit address_space{}, data{};
  getrlimit(RLIMIT_AS, &address_space);
  getrlimit(RLIMIT_DATA, &data);
  return std::min(address_space.rlim_cur, data.rlim_cur);
}

void aligned_addresses(const Subject& subject) {
  const SubjectApi& api = subject.api();
  const size_t largest_alignment = std::min(size_t{64} << 20, memory_limit() / 16);
  for (size_t alignment = sizeof(void*); alignment <= largest_alignment; alignment *= 2) {
    for (const size_t size : {alignment, 3 * alignment}) {
      void* block = api.aligned_alloc(alignment, size);
      ASSERT_NE(block, nullptr) << alignment;
      EXPECT_TRUE(aligned(block, alignment)) << alignment;
      *static_cast<char*>(block) = 1;
      static_cast<char*>(block)[size - 1] = 1;
      void* other = nullptr;
      ASSERT_EQ(api.posix_memalign(&other, alignment, size), 0) << alignment;
      EXPECT_TRUE(aligned(other, alignment)) << alignment;
      api.free(block);
      api.free(other);
    }
  }
}

void memalign_errors(const Subject& subject) {
  int object = 0;
  void* out = &object;
  for (const size_t alignment : {size_t{0}, size_t{1}, size_t{2}, size_t{4}, size_t{12}, size_t{24}, size_t{4097}}) {
    errno = kMark;
    EXPECT_EQ(subject.api().posix_memalign(&out, alignment, 64), EINVAL) << alignment;
    EXPECT_EQ(out, &object);
    if (subject.promises().memalign_rejects_without_errno) EXPECT_EQ(errno, kMark);
  }
  errno = kMark;
  EXPECT_EQ(subject.api().posix_memalign(&out, 64, too_large), ENOMEM);
  EXPECT_EQ(out, &object);
  if (subject.promises().memalign_rejects_without_errno) EXPECT_EQ(errno, kMark);
}

void free_keeps_errno(const Subject& subject) {
  for (const size_t size : {1, 100, 5000, 100'000, 5'000'000}) {
    void* block = subject.api().malloc(size);
    errno = kMark;
    subject.api().free(block);
    EXPECT_EQ(errno, kMark) << size;
  }
  errno = kMark;
  subject.api().free(nullptr);
  EXPECT_EQ(errno, kMark);
}

void usable_size(const Subject& subject) {
  const SubjectApi& api = subject.api();
  if (api.usable_size == nullptr) GTEST_SKIP() << "no such function here";
  EXPECT_EQ(api.usable_size(nullptr), 0u);
  void* previous = nullptr;
  size_t previous_usable = 0;
  for (size_t size = 1; size <= size_t{4} << 20; size += size / 5 + 1) {
    void* block = api.malloc(size);
    ASSERT_NE(block, nullptr);
    const size_t usable = api.usable_size(block);
    ASSERT_GE(usable, size);
    std::memset(block, 0x77, usable);
    EXPECT_EQ(api.usable_size(block), usable);
    if (previous != nullptr) {
      ASSERT_TRUE(all_bytes(previous, previous_usable, 0x77)) << size;
      std::memset(previous, 0x11, previous_usable);
      ASSERT_TRUE(all_bytes(block, usable, 0x77)) << size;
      api.free(previous);
    }
    previous = block;
    previous_usable = usable;
  }
  api.free(previous);
}

void natural_alignment(const Subject& subject) {
  const SubjectApi& api = subject.api();
  for (size_t size = 1; size <= 4096; ++size) {
    const size_t alignment = std::min<size_t>(16, std::bit_floor(size));
    void* block = api.malloc(size);
    void* zeroed = api.calloc(1, size);
    ASSERT_TRUE(aligned(block, alignment)) << size;
    ASSERT_TRUE(aligned(zeroed, alignment)) << size;
    block = api.realloc(block, size + 1);
    ASSERT_TRUE(aligned(block, std::min<size_t>(16, std::bit_floor(size + 1)))) << size;
    api.free(block);
    api.free(zeroed);
  }
}

void thread_exit_keeps_blocks(const Subject& subject) {
  const SubjectApi& api = subject.api();
  std::array<void*, 200> blocks{};
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); ++i) std::memset(blocks[i] = api.malloc(10 + i * 50), 0x33, 10 + i * 50);
  }).join();
  void* fresh = api.malloc(100);
  std::memset(fresh, 0x44, 100);
  for (size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_TRUE(all_bytes(blocks[i], 10 + i * 50, 0x33)) << i;
    api.free(blocks[i]);
  }
  EXPECT_TRUE(all_bytes(fresh, 100, 0x44));
  api.free(fresh);
}

void free_from_another_thread(const Subject& subject) {
  const SubjectApi& api = subject.api();
  std::array<void*, 500> blocks{};
  for (int round = 0; round < 5; ++round) {
    for (void*& block : blocks) std::memset(block = api.malloc(48), round, 48);
    std::thread([&] {
      for (void* block : blocks) {
        EXPECT_TRUE(all_bytes(block, 48, static_cast<unsigned char>(round)));
        api.free(block);
      }
    }).join();
  }
}

void fork_child_works(const Subject& subject) {
  const SubjectApi& api = subject.api();
  void* inherited = api.malloc(1000);
  std::memset(inherited, 0x55, 1000);
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    bool right = all_bytes(inherited, 1000, 0x55);
    for (size_t size = 1; size < size_t{1} << 20; size *= 2) {
      void* block = api.malloc(size);
      right = right && block != nullptr;
      if (block != nullptr) std::memset(block, 1, size);
      api.free(block);
    }
    api.free(inherited);
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(all_bytes(inherited, 1000, 0x55));
  api.free(inherited);
}

void collect_keeps_blocks(const Subject& subject) {
  const SubjectApi& api = subject.api();
  if (api.collect == nullptr) GTEST_SKIP() << "no such function here";
  std::array<void*, 300> blocks{};
  for (size_t i = 0; i < blocks.size(); ++i) std::memset(blocks[i] = api.malloc(i * 211 + 1), 0x66, i * 211 + 1);
  for (size_t i = 0; i < blocks.size(); i += 2) api.free(blocks[i]);
  api.collect(true);
  for (size_t i = 1; i < blocks.size(); i += 2) {
    ASSERT_TRUE(all_bytes(blocks[i], i * 211 + 1, 0x66)) << i;
    api.free(blocks[i]);
  }
}

}  // namespace

const std::vector<SemanticsRow>& semantics_rows() {
  static const std::vector<SemanticsRow> rows = {
      {"malloc_zero", malloc_zero},
      {"too_large_sizes", too_large_sizes},
      {"calloc_overflow", calloc_overflow},
      {"calloc_zeroes", calloc_zeroes},
      {"realloc_null", realloc_null},
      {"realloc_zero", realloc_zero},
      {"realloc_contents", realloc_contents},
      {"realloc_failure", realloc_failure},
      {"aligned_any_size", aligned_any_size},
      {"aligned_bad_alignment", aligned_bad_alignment},
      {"aligned_addresses", aligned_addresses},
      {"memalign_errors", memalign_errors},
      {"free_keeps_errno", free_keeps_errno},
      {"usable_size", usable_size},
      {"natural_alignment", natural_alignment},
      {"thread_exit_keeps_blocks", thread_exit_keeps_blocks},
      {"free_from_another_thread", free_from_another_thread},
      {"fork_child_works", fork_child_works},
      {"collect_keeps_blocks", collect_keeps_blocks},
  };
  return rows;
}

}  // namespace assay
