// The memory calls of every flavour without seams.
#if !defined(XIMALLOC_TEST_SEAMS)

#include "allocator/os/memory.h"

#include <sys/mman.h>

#include "allocator/base/assert.h"
#include "allocator/base/bits.h"
#include "allocator/base/config.h"
#include "allocator/os/errno_keeper.h"

namespace xi::os {

namespace {

int map_anywhere(size_t size, int protection, void** out) {
  void* const address = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return errno;
  *out = address;
  return 0;
}

// mmap aligns to its own page size only: when that is not enough, map more and cut off both ends. A cut that fails
// leaves address space that is never touched.
int map_aligned(size_t size, size_t alignment, int protection, void** out) {
  ErrnoKeeper keeper;
  int error = map_anywhere(size, protection, out);
  if (error != 0 || is_aligned(address_of(*out), alignment)) return error;
  munmap(*out, size);
  size_t padded = 0;
  if (__builtin_add_overflow(size, alignment, &padded)) return ENOMEM;
  error = map_anywhere(padded, protection, out);
  if (error != 0) return error;
  char* const start = static_cast<char*>(*out);
  const size_t head = align_up(address_of(start), alignment) - address_of(start);
  const size_t tail = padded - head - size;
  if (head > 0) munmap(start, head);
  if (tail > 0) munmap(start + head + size, tail);
  *out = start + head;
  return 0;
}

}  // namespace

int reserve(size_t size, size_t alignment, void** out) {
  return map_aligned(size, alignment, PROT_NONE, out);
}

int map(size_t size, size_t alignment, Purpose, void** out) {
  return map_aligned(size, alignment, PROT_READ | PROT_WRITE, out);
}

int unmap(void* address, size_t size) {
  ErrnoKeeper keeper;
  return munmap(address, size) == 0 ? 0 : errno;
}

int commit(void* address, size_t size) {
  ErrnoKeeper keeper;
  return mprotect(address, size, PROT_READ | PROT_WRITE) == 0 ? 0 : errno;
}

int decommit(void* address, size_t size) {
  ErrnoKeeper keeper;
  if (madvise(address, size, MADV_DONTNEED) != 0) return errno;
  return mprotect(address, size, PROT_NONE) == 0 ? 0 : errno;
}

int discard(void* address, size_t size) {
  ErrnoKeeper keeper;
  return madvise(address, size, MADV_DONTNEED) == 0 ? 0 : errno;
}

}  // namespace xi::os

#endif
