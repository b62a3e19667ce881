// A page: slices that hold blocks of one size, and the three lists of its free blocks. The struct lies outside of the
// slices, in a table that is never unmapped, so that a stale pointer to a page can always be followed.
//
// Who may touch what. A page is owned or not; the lowest bit of `thread_free` says which. The owner alone uses the
// plain fields. Ownership is taken by the compare-and-swap that sets the bit, and given up by the one that clears it.
//   in a queue   owned; `owner` is the id of the thread whose heap has the page in a queue
//   released     not owned; full, or left behind by a thread: in no queue. The next free into it takes the ownership
//   claimed      owned for a moment by a thread that decides what becomes of it (heap/ownership.h)
//   unused       owned by nobody in particular, so that no stale claimer ever gets it
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/arena/arena.h"
#include "allocator/base/atomic.h"
#include "allocator/page/bin.h"
#include "allocator/page/block.h"
#include "allocator/support/statistics.h"

namespace xi {

struct Heap;

// Identifies a thread; never reused in the life of a process, nor by its children. 0 stands for none.
enum class ThreadId : uint64_t { kNone = 0 };

// Set in the owner of a page that has blocks which were handed out at an address inside of them: no thread finds its
// own id there then, and the fast path of free, which takes what it gets for the start of a block, leaves the page
// alone.
inline constexpr uint64_t kInteriorBit = 2;
constexpr bool has_interior_bit(ThreadId owner) {
  return (static_cast<uint64_t>(owner) & kInteriorBit) != 0;
}
constexpr ThreadId without_interior_bit(ThreadId owner) {
  return ThreadId{static_cast<uint64_t>(owner) & ~kInteriorBit};
}

// What a page is made from.
struct PageShape {
  uintptr_t start;
  size_t slices;
  size_t block_size;
  uint32_t reserved;  // blocks that fit
  Bin bin;
  bool zero;     // all of its memory is known to be zero
  Arena* arena;  // null: a mapping of its own
};

class alignas(64) Page {
 public:
  static constexpr uintptr_t kOwned = 1;

  // First cache line: what the owner's malloc and free touch.
  Block* free = nullptr;        // the next blocks to hand out
  Block* local_free = nullptr;  // freed by the owner
  Atomic<ThreadId> owner;       // may have kInteriorBit; see owner_id()
  uint32_t used = 0;            // handed out, and not seen to have come back
  uint32_t capacity = 0;        // blocks that have been linked so far
  uintptr_t start = 0;
  size_t block_size = 0;  // 0: the struct is not in use
  uint32_t reserved = 0;
  Bin bin{0};
  bool free_is_zero = false;    // blocks in `free` are zero but for their link
  bool memory_is_zero = false;  // blocks that are not linked yet are zero
  uint8_t subprocess = 0;       // whose threads may take it over (heap/subprocess.h)
  uint8_t retire_ticks = 0;     // not 0: in the heap's set of retired pages
  bool in_queue = false;
  bool exclusive : 1 = false;  // no other heap may use it, nor any thread take it over
  bool closed : 1 = false;  // its heap, bound to an exclusive arena, has ended: its blocks come back, and none goes out
  bool tail_purged : 1 = false;   // the memory of blocks that were never linked has gone back
  bool is_abandoned : 1 = false;  // its bit is set in the arena's bitmap of its bin
  uint8_t tag = 0;                // that of the heap that it was made for
  // What page_purge.h does. Pages of one bin have at most 8,192 blocks.
  uint16_t purged_blocks = 0;  // free ones that are in no list, since the memory of their link has gone back
  static constexpr uint16_t kNotPurged = 0xffff;
  static constexpr uint16_t kNoSample = kNotPurged;
  union {
    uint16_t used_at_purge = kNotPurged;  // no purge finds anything new before fewer blocks are used
    uint16_t sample;                      // of a huge page: of the heap profile
  };

  // Second cache line: what other threads write, and links.
  alignas(64) Atomic<uintptr_t> thread_free;  // blocks freed by others | kOwned
  Page* queue_next = nullptr;
  Page* queue_prev = nullptr;
  Atomic<Heap*> heap;  // the heap in whose list of all pages it is; changed under that heap's lock
  Page* heap_next = nullptr;
  Page* heap_prev = nullptr;
  Arena* arena = nullptr;
  size_t slices = 0;

  constexpr Page() = default;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  // An unused struct becomes a page that is claimed by the caller, and back. begin() does not link any block.
  void begin(const PageShape& shape);
  void end();

  bool is_huge() const { return bin == kHugeBin; }
  // Who owns it, as far as a plain load can tell; kNone when nobody does.
  ThreadId owner_id() const { return without_interior_bit(owner.load(kRelaxed)); }
  bool has_interior_blocks() const { return has_interior_bit(owner.load(kRelaxed)); }
  // For the owner alone. Once a page has interior blocks it counts as having some until it ends.
  void set_owner(ThreadId thread) {
    const uint64_t bit = static_cast<uint64_t>(owner.load(kRelaxed)) & kInteriorBit;
    owner.store(ThreadId{static_cast<uint64_t>(thread) | bit}, kRelaxed);
  }
  // For the owner, or who holds the only block: one that is about to be handed out is interior.
  void allow_interior_blocks() {
    owner.store(ThreadId{static_cast<uint64_t>(owner.load(kRelaxed)) | kInteriorBit}, kRelaxed);
  }

  // Blocks that it can still hand out, as far as the owner knows.
  uint32_t available() const { return reserved - used; }
  size_t first_slice() const { return arena->slice_of(start); }

  void* pop() {
    Block* const block = free;
    free = next_of(block);
    ++used;
    count_block(block_size, 1);
    return block;
  }

  void push_local(void* pointer) {
    auto* const block = static_cast<Block*>(pointer);
    set_next(block, local_free);
    local_free = block;
  }

  // `free`, which is empty, becomes what the owner freed.
  void take_local_free() {
    free = local_free;
    local_free = nullptr;
    free_is_zero = false;
  }

  // Makes `free` non-empty: takes what the owner freed, else what others freed, else links new blocks. False when
  // every block is handed out.
  bool refill();

  // Takes in what other threads have freed.
  void collect_thread_free();

  // Some of the blocks whose memory has gone back are in `local_free` again; there is one. Defined in page_purge.cc.
  void link_purged_blocks();

  // Puts a block on thread_free. True when the page had no owner, and the caller is it now.
  bool push_thread_free(void* pointer);

  // Takes the ownership of a page that has none.
  bool try_claim();
  // Gives the ownership up; false when a block was freed meanwhile, and the caller is still the owner.
  bool try_release();

  // True when a block begins at the address, as far as the page's shape tells, which any thread may ask about.
  bool is_block(const void* pointer) const;
  // True when a block was handed out at the address, which need not be where it begins.
  bool is_handed_out_at(const void* pointer) const;

  // For an address that a block was handed out at: where the block begins, and the bytes from the address to its end.
  void* block_of(void* pointer) const {
    return static_cast<char*>(pointer) - (address_of(pointer) - start) % block_size;
  }
  size_t usable_size(const void* pointer) const {
    return has_interior_blocks() ? block_size - (address_of(pointer) - start) % block_size : block_size;
  }

 private:
  void extend();
};

static_assert(sizeof(Page) == kPageMetaSize);

}  // namespace xi
