#include "allocator/api/request.h"

#include <cerrno>
#include <cstring>

#include "allocator/base/start.h"
#include "allocator/heap/alloc.h"
#include "allocator/heap/fill.h"
#include "allocator/heap/free.h"
#include "allocator/heap/watch.h"
#include "allocator/page/interior.h"
#include "allocator/support/report.h"

namespace xi {

namespace {

struct ErrorHook {
  Atomic<ErrorFunction> function;
  Atomic<void*> argument;
};
constinit ErrorHook error_hook;

// The block is null when there is no memory. Sizes above a slice are slice-aligned anyway; below, a size that is a
// multiple of the alignment gets a block that is one too (page/bin.h).
Allocation allocate_aligned(size_t alignment, size_t size) {
  if (size > kMaxRequest || alignment > kMaxRequest) return {nullptr, false};
  if (alignment > kSliceSize) return allocate_over_aligned(size, alignment);
  return allocate(size == 0 ? alignment : align_up(size, alignment));
}

// A sampled block is inside of its page already. A heap that the allocation itself made would be watched.
Allocation allocate_unwatched(size_t alignment, size_t size) {
  if (!thread_state.has_heap() && !start_thread()) return {nullptr, false};
  const Unwatched here;
  return allocate_aligned(alignment, size);
}

// What was found for a request: `usable` bytes from `address` on, of which all but the first `dirty` are known to be 0.
struct Placement {
  char* address;
  size_t usable;
  size_t dirty;
};

// Blocks begin at a multiple of the alignment. With an offset that is none the caller gets an address inside.
int place(const Request& request, Placement* out) {
  if (!is_power_of_two(request.alignment)) return EINVAL;
  const size_t distance = (0 - request.offset) & (request.alignment - 1);
  if (request.size > kMaxRequest - distance) return ENOMEM;
  // An address inside must not be that of the next block.
  const size_t least = distance != 0 && request.size == 0 ? 1 : request.size;
  const Allocation found = distance == 0 ? allocate_aligned(request.alignment, least)
                                         : allocate_unwatched(request.alignment, distance + least);
  if (found.block == nullptr) return ENOMEM;
  Page* const page = page_map::find(found.block);
  if (distance != 0) {
    page->allow_interior_blocks();
    mark_interior(found.block, distance);
  }
  const size_t usable = page->usable_size(found.block) - distance;
  // Fresh memory is zero but for the link that was in its first word; every block has room for a word.
  const size_t link = distance < sizeof(Block) ? sizeof(Block) - distance : 0;
  *out = {static_cast<char*>(found.block) + distance, usable, found.zero ? link : usable};
  return 0;
}

void clear_from(const Placement& placed, size_t from) {
  if (from < placed.dirty) memset(placed.address + from, 0, placed.dirty - from);
}

// A block is kept while the new size fits and uses at least half of it.
bool fits_in_place(size_t size, size_t usable) {
  return size <= usable && size >= usable / 2;
}

}  // namespace

int serve(const Request& request, void** out) {
  Placement placed;
  if (const int error = place(request, &placed)) return error;
  if (request.zero) {
    clear_from(placed, 0);
  } else {
    fill_fresh(placed.address);
  }
  *out = placed.address;
  return 0;
}

int serve_again(void* old, const Request& request, void** out) {
  if (old == nullptr) return serve(request, out);
  const Page* const page = page_map::find(old);
  if (page == nullptr) {
    warn_foreign_pointer("realloc", old);
    return EINVAL;
  }
  check_block(page, "realloc", old);
  if (!is_power_of_two(request.alignment)) return EINVAL;
  const size_t usable = page->usable_size(old);
  if (fits_in_place(request.size, usable) && is_aligned(address_of(old) + request.offset, request.alignment) &&
      (request.within == nullptr || page->heap.load(kRelaxed) == request.within)) {
    // What is cut off becomes zero now, since nobody knows at the next growth how much of the block was in use.
    if (request.zero) memset(static_cast<char*>(old) + request.size, 0, usable - request.size);
    *out = old;
    return 0;
  }
  Placement moved;
  if (const int error = place(request, &moved)) return error;
  if (!request.zero) fill_fresh(moved.address);
  const size_t kept = request.size < usable ? request.size : usable;
  memcpy(moved.address, old, kept);
  if (request.zero) clear_from(moved, kept);
  free_block(old);
  *out = moved.address;
  return 0;
}

void* allocate_request(const Request& request) {
  void* block = nullptr;
  const int error = serve(request, &block);
  return error == 0 ? block : fail(error);
}

void* reallocate_request(void* old, const Request& request) {
  void* block = nullptr;
  const int error = serve_again(old, request, &block);
  return error == 0 ? block : fail(error);
}

void* fail(int error) {
  if (const ErrorFunction function = error_hook.function.load(kAcquire)) {
    const OutsideOfHeapCall outside;
    function(error, error_hook.argument.load(kAcquire));
  }
  errno = error;
  return nullptr;
}

void* out_of_memory() {
  return fail(ENOMEM);
}

void set_error_function(ErrorFunction function, void* argument) {
  error_hook.function.store(nullptr, kRelease);
  error_hook.argument.store(argument, kRelease);
  error_hook.function.store(function, kRelease);
}

}  // namespace xi
