#include "allocator/page/page.h"

#include "allocator/base/assert.h"
#include "allocator/os/memory.h"
#include "allocator/page/interior.h"
#include "allocator/page/page_purge.h"
#include "allocator/support/report.h"

namespace xi {

void Page::begin(const PageShape& shape) {
  XI_ASSERT(block_size == 0 && shape.block_size > 0 && shape.reserved > 0);
  os::will_use(address_of(this), sizeof(Page));
  // First of all, for structs that were never used: whoever sees anything of this page must see that it has an owner.
  thread_free.store(kOwned, kRelease);
  free = nullptr;
  local_free = nullptr;
  owner.store(ThreadId::kNone, kRelaxed);
  used = 0;
  capacity = 0;
  start = shape.start;
  block_size = shape.block_size;
  reserved = shape.reserved;
  bin = shape.bin;
  free_is_zero = false;
  memory_is_zero = shape.zero;
  subprocess = 0;
  is_abandoned = false;
  retire_ticks = 0;
  in_queue = false;
  exclusive = false;
  tail_purged = false;
  purged_blocks = 0;
  used_at_purge = kNotPurged;
  closed = false;
  tag = 0;
  queue_next = nullptr;
  queue_prev = nullptr;
  arena = shape.arena;
  slices = shape.slices;
}

void Page::end() {
  XI_ASSERT(used == 0 && !is_abandoned && !in_queue && retire_ticks == 0 && heap.load(kRelaxed) == nullptr);
  XI_ASSERT(thread_free.load(kRelaxed) == kOwned);
  forget_purged_blocks(this);
  block_size = 0;
  owner.store(ThreadId::kNone, kRelaxed);
}

bool Page::refill() {
  XI_ASSERT(free == nullptr);
  if (local_free == nullptr) collect_thread_free();
  if (local_free != nullptr) {
    take_local_free();
    return true;
  }
  if (purged_blocks > 0) {
    link_purged_blocks();
    take_local_free();
    return true;
  }
  if (capacity == reserved) return false;
  extend();
  return true;
}

// Links the next few blocks in address order.
void Page::extend() {
  uint32_t count = static_cast<uint32_t>(kExtendBytes / block_size);
  if (count == 0) count = 1;
  if (count > reserved - capacity) count = reserved - capacity;
  char* const first = reinterpret_cast<char*>(start) + capacity * block_size;
  os::will_use(address_of(first), count * block_size);
  char* at = first;
  for (uint32_t i = 1; i < count; ++i, at += block_size) {
    set_next(reinterpret_cast<Block*>(at), reinterpret_cast<Block*>(at + block_size));
  }
  set_next(reinterpret_cast<Block*>(at), nullptr);
  free = reinterpret_cast<Block*>(first);
  free_is_zero = memory_is_zero;
  capacity += count;
}

void Page::collect_thread_free() {
  if (thread_free.load(kRelaxed) == kOwned) return;
  auto* const head = reinterpret_cast<Block*>(thread_free.exchange(kOwned, kAcquire) & ~kOwned);
  uint32_t count = 1;
  Block* tail = head;
  for (Block* next = next_of(tail); next != nullptr; next = next_of(tail)) {
    if (++count > used) report_corrupt_page(reinterpret_cast<void*>(start));
    tail = next;
  }
  if (count > used) report_corrupt_page(reinterpret_cast<void*>(start));
  set_next(tail, local_free);
  local_free = head;
  used -= count;
}

bool Page::push_thread_free(void* pointer) {
  auto* const block = static_cast<Block*>(pointer);
  uintptr_t seen = thread_free.load(kRelaxed);
  do {
    set_next(block, reinterpret_cast<Block*>(seen & ~kOwned));
  } while (!thread_free.compare_exchange_weak(seen, address_of(block) | kOwned, kAcqRel));
  return (seen & kOwned) == 0;
}

bool Page::try_claim() {
  uintptr_t seen = thread_free.load(kRelaxed);
  while ((seen & kOwned) == 0) {
    if (thread_free.compare_exchange_weak(seen, seen | kOwned, kAcquire)) return true;
  }
  return false;
}

bool Page::try_release() {
  uintptr_t expected = kOwned;
  return thread_free.compare_exchange(expected, 0, kRelease);
}

bool Page::is_block(const void* pointer) const {
  const uintptr_t offset = address_of(pointer) - start;
  return offset % block_size == 0 && offset / block_size < reserved;
}

bool Page::is_handed_out_at(const void* pointer) const {
  if (is_block(pointer)) return true;
  const uintptr_t offset = address_of(pointer) - start;
  const size_t distance = offset % block_size;
  return has_interior_blocks() && offset / block_size < reserved &&
         is_marked_interior(static_cast<const char*>(pointer) - distance, distance);
}

}  // namespace xi
