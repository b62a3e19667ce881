// The validators are themselves tested: each kind of damage must be named.
#include "allocator/check/check.h"

#include <functional>

#include "allocator/api/fixture_for_test.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/page_map/page_map.h"
#include "allocator/support/statistics.h"

namespace xi {
namespace {

class CheckTest : public FreshAllocator {
 protected:
  void SetUp() override {
    FreshAllocator::SetUp();
    a_ = xi_malloc(64);
    b_ = xi_malloc(64);
    xi_free(b_);
    page_ = page_map::find(a_);
    ASSERT_EQ(structure_faults(), "");
  }
  void TearDown() override {
    // The damage is left behind with everything else.
    xi_debug_reset();
    FreshAllocator::TearDown();
  }

  void* a_ = nullptr;
  void* b_ = nullptr;
  Page* page_ = nullptr;
};

void expect_fault(const char* what) {
  EXPECT_NE(structure_faults().find(what), std::string::npos) << structure_faults();
}

TEST_F(CheckTest, ALinkOutOfThePage) {
  set_next(page_->local_free, reinterpret_cast<Block*>(&page_));
  expect_fault("a free list leads out of its page");
}

TEST_F(CheckTest, ALinkIntoABlock) {
  set_next(page_->local_free, reinterpret_cast<Block*>(static_cast<char*>(a_) + 8));
  expect_fault("a free list leads out of its page");
}

TEST_F(CheckTest, ADoubleFree) {
  xi_free(b_);
  expect_fault("twice in the free lists");
}

TEST_F(CheckTest, ACountThatIsOff) {
  ++page_->used;
  expect_fault("do not add up");
}

TEST_F(CheckTest, ADirtyBlockThatCountsAsZero) {
  ASSERT_TRUE(page_->free_is_zero);
  reinterpret_cast<uint64_t*>(page_->free)[3] = 1;
  expect_fault("counts as zero");
}

TEST_F(CheckTest, APageMapThatLeadsAstray) {
  page_map::enter(page_->start, 1, nullptr);
  expect_fault("the page map does not lead to the page");
}

TEST_F(CheckTest, AFreeSliceUnderAPage) {
  page_->arena->free.set(page_->first_slice(), 1);
  expect_fault("differ in number");
}

TEST_F(CheckTest, ASliceThatNobodyHas) {
  page_->arena->free.clear(page_->first_slice() + 5, 1);
  page_->arena->committed.set(page_->first_slice() + 5, 1);
  expect_fault("no page begins there");
}

TEST_F(CheckTest, ACommittedBitThatLies) {
  page_->arena->committed.clear(page_->first_slice(), 1);
  expect_fault("bitmaps contradict");
  expect_fault("statistic of committed bytes");
}

TEST_F(CheckTest, APurgeOfWhatIsInUse) {
  page_->arena->purge.set(page_->first_slice(), 1);
  expect_fault("bitmaps contradict");
}

TEST_F(CheckTest, AnAbandonedBitOfAPageInUse) {
  page_->arena->set_abandoned(page_->bin.index(), page_->first_slice(), true);
  expect_fault("bit does not say");
}

TEST_F(CheckTest, AnOwnerThatIsNot) {
  page_->owner.store(ThreadId{800}, kRelaxed);
  expect_fault("another thread's");
}

TEST_F(CheckTest, ADirectEntryThatIsStale) {
  thread_state.heap->direct[100] = page_;
  expect_fault("direct table");
}

TEST_F(CheckTest, APageOutsideOfItsHeapsList) {
  page_->heap.store(nullptr, kRelaxed);
  expect_fault("another heap");
}

TEST_F(CheckTest, AStatisticThatIsOff) {
  statistics.committed_bytes.add(1);
  expect_fault("statistic of committed bytes");
}

}  // namespace
}  // namespace xi
