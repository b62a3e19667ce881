// Mappings as memory.cc makes them out of what the system gives.
#include "allocator/os/memory.h"

#include "allocator/api/fixture_for_test.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/os/calls.h"
#include "allocator/os/unmap_later.h"

namespace xi {
namespace {

class MemoryTest : public FreshAllocator {
 protected:
  // These tests map without making arenas of it: the fixture's check knows of none.
  void TearDown() override {
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    xi_debug_reset();
  }
  static uintptr_t map(size_t size, size_t alignment) {
    void* address = nullptr;
    const int error = os::map(size, alignment, os::Purpose::kBlocks, &address);
    return error == 0 ? address_of(address) : 0;
  }
};

TEST_F(MemoryTest, AnUnalignedMappingIsReplacedByAPartOfALargerOne) {
  for (const bool always : {false, true}) {
    FailCalls fail{.what = kMaps, .nth = 1, .onwards = always, .answer = XI_OS_UNALIGNED};
    fail.install();
    const uintptr_t address = map(3 * kSliceSize, 4 * kMiB);
    ASSERT_NE(address, 0u);
    EXPECT_TRUE(is_aligned(address, 4 * kMiB));
    EXPECT_EQ(footprint().mapped, 3 * kSliceSize) << "both ends were cut off";
    EXPECT_TRUE(xi_debug_is_committed(reinterpret_cast<void*>(address), 3 * kSliceSize));
    *reinterpret_cast<char*>(address + 3 * kSliceSize - 1) = 1;
    EXPECT_EQ(os::unmap(reinterpret_cast<void*>(address), 3 * kSliceSize), 0);
    EXPECT_EQ(footprint().mapped, 0u);
    EXPECT_EQ(footprint().committed, 0u);
  }
}

// A process that may have little address space cannot have twice the size of a mapping for a moment.
TEST_F(MemoryTest, ASecondTryTakesNoMoreThanIsGiven) {
  struct Largest {
    size_t bytes = 0;
    int calls = 0;
    static int before(void* context, const xi_os_call_t* call) {
      auto* const self = static_cast<Largest*>(context);
      if (call->kind != XI_OS_MMAP) return 0;
      if (call->size > self->bytes) self->bytes = call->size;
      return ++self->calls == 1 ? XI_OS_UNALIGNED : 0;
    }
  } largest;
  xi_debug_set_os_hook(&Largest::before, nullptr, &largest);
  EXPECT_NE(map(3 * kSliceSize, 4 * kMiB), 0u);
  EXPECT_EQ(largest.calls, 2);
  EXPECT_EQ(largest.bytes, 3 * kSliceSize);
}

TEST_F(MemoryTest, WhatCannotBeUnmappedIsTriedAgain) {
  const uintptr_t address = map(2 * kSliceSize, kSliceSize);
  FailCalls fail{.what = kUnmaps, .nth = 1};
  fail.install();
  EXPECT_EQ(os::unmap(reinterpret_cast<void*>(address), 2 * kSliceSize), 0);
  EXPECT_EQ(os::unmaps_waiting(), 1u);
  EXPECT_EQ(os::block_bytes_waiting(), 2 * kSliceSize);
  os::retry_unmaps();
  EXPECT_EQ(os::unmaps_waiting(), 0u);
  EXPECT_EQ(footprint().mapped, 0u);
}

TEST_F(MemoryTest, EndsThatCannotBeCutOffAreCutOffLater) {
  FailCalls unaligned{.what = kMaps, .nth = 1, .onwards = true, .answer = XI_OS_UNALIGNED};
  unaligned.install();
  const uintptr_t address = map(kSliceSize, kMiB);
  FailCalls refused{.what = kUnmaps, .nth = 1, .onwards = true};
  refused.install();
  const uintptr_t other = map(kSliceSize, 2 * kMiB);
  ASSERT_TRUE(address != 0 && other != 0);
  xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  os::retry_unmaps();
  EXPECT_EQ(footprint().mapped, 2 * kSliceSize);
}

TEST_F(MemoryTest, AddressesThatNobodyCanTouchAreNoMemory) {
  for (const int nth : {1, 2}) {
    FailCalls fail{.what = kMaps, .nth = nth, .answer = XI_OS_HIGH};
    fail.install();
    map(kSliceSize, kSliceSize);
    EXPECT_LT(map(kSliceSize, kSliceSize), uintptr_t{1} << kAddressBits);
  }
  FailCalls fail{.what = kMaps, .nth = 1, .onwards = true, .answer = XI_OS_HIGH};
  fail.install();
  const uint64_t before = footprint().mapped;
  EXPECT_EQ(map(kSliceSize, kSliceSize), 0u);
  EXPECT_EQ(footprint().mapped, before);
}

TEST_F(MemoryTest, ADiscardThatFailsMayLeaveRubbish) {
  const uintptr_t address = map(kSliceSize, kSliceSize);
  FailCalls fail{.what = kDiscards, .nth = 1, .answer = XI_OS_DIRTY};
  fail.install();
  EXPECT_NE(os::discard(reinterpret_cast<void*>(address), kSliceSize), 0);
  EXPECT_NE(*reinterpret_cast<char*>(address), 0);
  EXPECT_EQ(os::discard(reinterpret_cast<void*>(address), kSliceSize), 0);
  EXPECT_EQ(*reinterpret_cast<char*>(address), 0);
}

TEST_F(MemoryTest, AResetReachesWhatWasProtectedWithItsBytes) {
  const uintptr_t address = map(kSliceSize, kSliceSize);
  os::will_use(address, kSliceSize);
  *reinterpret_cast<char*>(address) = 7;
  ASSERT_EQ(os::call_mprotect(reinterpret_cast<void*>(address), kSliceSize, os::Protection::kNone), 0);
  xi_debug_reset();
  ASSERT_EQ(map(kSliceSize, kSliceSize), address) << "first fit";
  EXPECT_EQ(*reinterpret_cast<char*>(address), 0);
}

TEST_F(MemoryTest, UnmappingWhatIsNotMappedEndsTheProcess) {
  const uintptr_t address = map(kSliceSize, kSliceSize);
  EXPECT_DEATH(os::unmap(reinterpret_cast<void*>(address), 2 * kSliceSize), "");
}

}  // namespace
}  // namespace xi
