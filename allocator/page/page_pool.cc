#include "allocator/page/page_pool.h"

#include <new>

#include "allocator/base/bits.h"
#include "allocator/base/lock.h"
#include "allocator/os/memory.h"

namespace xi {

namespace {

struct PagePool {
  Lock lock;
  Page* unused = nullptr;  // linked by queue_next
  char* fresh = nullptr;   // memory that no struct was made in yet
  char* fresh_end = nullptr;
};
constinit PagePool pool;

Page* take_fresh() {
  if (pool.fresh == pool.fresh_end) {
    void* memory = nullptr;
    if (os::map(kSliceSize, kSliceSize, os::Purpose::kMetadata, &memory) != 0) return nullptr;
    pool.fresh = static_cast<char*>(memory);
    pool.fresh_end = pool.fresh + kSliceSize;
  }
  os::will_use(address_of(pool.fresh), sizeof(Page));
  auto* const page = new (pool.fresh) Page;
  pool.fresh += sizeof(Page);
  page->thread_free.store(Page::kOwned, kRelaxed);
  return page;
}

}  // namespace

Page* take_page_struct() {
  LockGuard guard(pool.lock);
  Page* const page = pool.unused;
  if (page == nullptr) return take_fresh();
  pool.unused = page->queue_next;
  return page;
}

void give_page_struct(Page* page) {
  LockGuard guard(pool.lock);
  page->queue_next = pool.unused;
  pool.unused = page;
}

void lock_page_pool() {
  pool.lock.lock();
}
void unlock_page_pool() {
  pool.lock.unlock();
}

void reset_page_pool() {
  pool.unused = nullptr;
  pool.fresh = nullptr;
  pool.fresh_end = nullptr;
}

}  // namespace xi
