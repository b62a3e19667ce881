// The definitions that the recorded program's calls bind to: each does what the next allocator does, and tells.
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bit>

#include "tools/recorder/next_allocator.h"
#include "tools/recorder/recording.h"

using assay::recorder::Call;
using assay::recorder::early_allocate;
using assay::recorder::early_size;
using assay::recorder::is_early;
using assay::recorder::next_allocator;
using assay::recorder::NextAllocator;
using assay::trace::Event;

namespace {
constexpr size_t kPlainAlignment = 16;

// memalign rounds an alignment up to a power of two, which the program language's aligned_alloc does not.
void record_aligned(const Call& call, size_t alignment, size_t size, void* block) {
  if (!call.recorded()) return;
  if (block != nullptr) alignment = std::bit_ceil(alignment);
  call.block(Event::kAlignedAlloc, alignment, size, block);
}

size_t page_size() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}
}  // namespace

extern "C" {

void* malloc(size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return early_allocate(size, kPlainAlignment);
  const Call call;
  void* block = next->malloc(size);
  if (call.recorded()) call.block(Event::kMalloc, size, block);
  return block;
}

void* calloc(size_t count, size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) {
    size_t bytes = 0;
    if (!__builtin_mul_overflow(count, size, &bytes)) return early_allocate(bytes, kPlainAlignment);
    errno = ENOMEM;
    return nullptr;
  }
  const Call call;
  void* block = next->calloc(count, size);
  if (call.recorded()) call.block(Event::kCalloc, count, size, block);
  return block;
}

void free(void* block) {
  if (is_early(block)) return;
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return;
  const Call call;
  if (call.recorded()) {
    if (block == nullptr) {
      call.plain(Event::kFreeNull);
    } else {
      call.block(Event::kFree, block);
    }
  }
  next->free(block);
}

void* realloc(void* old, size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr || is_early(old)) {
    void* block = malloc(size);
    if (block != nullptr && old != nullptr) {
      const size_t before = early_size(old);
      memcpy(block, old, before < size ? before : size);
    }
    return block;
  }
  const Call call;
  if (old == nullptr) {
    void* block = next->realloc(nullptr, size);
    if (call.recorded()) call.block(Event::kReallocNull, size, block);
    return block;
  }
  if (call.recorded()) call.block(Event::kReallocBegin, size, old);
  void* block = next->realloc(old, size);
  if (call.recorded()) call.block(Event::kReallocEnd, block);
  return block;
}

void* reallocarray(void* old, size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(old, bytes);
}

void* aligned_alloc(size_t alignment, size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return early_allocate(size, alignment);
  const Call call;
  void* block = next->aligned_alloc(alignment, size);
  record_aligned(call, alignment, size, block);
  return block;
}

int posix_memalign(void** out, size_t alignment, size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) {
    void* early = early_allocate(size, alignment);
    if (early == nullptr) return ENOMEM;
    *out = early;
    return 0;
  }
  const Call call;
  const int error = next->posix_memalign(out, alignment, size);
  if (call.recorded()) call.block(Event::kPosixMemalign, alignment, size, error == 0 ? *out : nullptr);
  return error;
}

void* memalign(size_t alignment, size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return early_allocate(size, alignment);
  const Call call;
  void* block = next->memalign(alignment, size);
  record_aligned(call, alignment, size, block);
  return block;
}

void* valloc(size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return early_allocate(size, page_size());
  const Call call;
  void* block = next->valloc(size);
  record_aligned(call, page_size(), size, block);
  return block;
}

void* pvalloc(size_t size) {
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return early_allocate(size, page_size());
  const Call call;
  void* block = next->pvalloc(size);
  // A whole number of pages; a size so large that rounding overflows has failed, and stays as it is.
  const size_t rounded = (size + page_size() - 1) & ~(page_size() - 1);
  record_aligned(call, page_size(), rounded < size ? size : rounded, block);
  return block;
}

size_t malloc_usable_size(void* block) {
  if (block != nullptr && is_early(block)) return early_size(block);
  const NextAllocator* next = next_allocator();
  if (next == nullptr) return 0;
  const Call call;
  const size_t usable = next->usable_size(block);
  if (call.recorded() && block != nullptr) call.block(Event::kUsableSize, block);
  return usable;
}

}  // extern "C"
