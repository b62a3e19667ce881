#include "pool_alloc.h"

#include <stdint.h>
#include <sys/mman.h>

enum { kBins = 40, kLeastShift = 4, kChunkShift = 20 };

struct freed {
  struct freed* next;
};

struct pool {
  struct freed* bins[kBins];
  char* fresh;
  size_t left;
};

static void* map(size_t size) {
  void* const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static unsigned shift_of(size_t size) {
  unsigned shift = kLeastShift;
  while (((size_t)1 << shift) < size) ++shift;
  return shift;
}

pool_t* pool_create(void) {
  return map(sizeof(pool_t));
}

enum pool_status pool_get(pool_t* pool, size_t size, void** block) {
  if (size > (size_t)PTRDIFF_MAX / 2) return POOL_TOO_LARGE;
  const unsigned shift = shift_of(size);
  const size_t whole = (size_t)1 << shift;
  if (shift >= kChunkShift) {
    *block = map(whole);
    return *block == NULL ? POOL_NO_MEMORY : POOL_OK;
  }
  if (pool->bins[shift] != NULL) {
    *block = pool->bins[shift];
    pool->bins[shift] = pool->bins[shift]->next;
    return POOL_OK;
  }
  if (pool->left < whole) {
    pool->fresh = map((size_t)1 << kChunkShift);
    pool->left = pool->fresh == NULL ? 0 : (size_t)1 << kChunkShift;
    if (pool->fresh == NULL) return POOL_NO_MEMORY;
  }
  *block = pool->fresh;
  pool->fresh += whole;
  pool->left -= whole;
  return POOL_OK;
}

void pool_put(pool_t* pool, void* block, size_t size) {
  const unsigned shift = shift_of(size);
  if (shift >= kChunkShift) {
    munmap(block, (size_t)1 << shift);
    return;
  }
  struct freed* const freed = block;
  freed->next = pool->bins[shift];
  pool->bins[shift] = freed;
}
