/* A small allocator that keeps every promise, and, compiled with -DTOY_FAULT=FAULT_<what>, breaks exactly one: the
 * positive controls of the oracles, as anyone's shared object. Power-of-two classes over 4 MiB chunks, larger blocks
 * mapped singly. A fault shows on requests of 600 to 699 bytes, unless it says otherwise. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAULT_NONE 0
#define FAULT_OVERLAP 1        /* a block that is still live is given out again */
#define FAULT_CONTENTS 2       /* malloc writes into the block that it gave out before */
#define FAULT_ZEROING 3        /* calloc clears nothing, whatever the size */
#define FAULT_REALLOC_TAIL 4   /* a realloc that moves copies a quarter only, whatever the size */
#define FAULT_ALIGNMENT 5      /* 8-aligned */
#define FAULT_USABLE_SMALL 6   /* usable size below the request */
#define FAULT_USABLE_CHANGES 7 /* another answer each time */
#define FAULT_NULL 8           /* NULL for no reason */
#define FAULT_ERRNO 9          /* EAGAIN instead of ENOMEM for impossible sizes */
#define FAULT_FREE_ERRNO 10    /* free changes errno */
#define FAULT_MEMALIGN_OUT 11  /* a posix_memalign that fails clears *out */
#define FAULT_OUTSIDE 12       /* a block without access */
#define FAULT_CRASH 13
#define FAULT_ABORT 14
#define FAULT_EXIT 15
#define FAULT_HANG 16
#define FAULT_FOOTPRINT 17    /* nothing that was freed is used again, whatever the size */
#define FAULT_FORK 18         /* in a forked child a live block is given out again */
#define FAULT_STATEFUL 19     /* overlap, but only from the 3,000th allocation of the process on */
#define FAULT_BIG_SUCCEEDS 20 /* sizes above PTRDIFF_MAX get a block */
#define FAULT_ZERO_ALIAS 21   /* every malloc(0) has one and the same address */
#define FAULT_READS_FREED 22  /* free looks at what the caller left in the block */
#define FAULT_TURNS 23 /* overlap, when a thread allocates, then another, then the first: no text order shows it */
#define FAULT_IGNORES_MMAP 24 /* what mmap answers is used, whatever it is */
#define FAULT_UNMAPS_LIVE 25  /* the memory of a live block goes back to the system */
#define FAULT_DEEP 26         /* overlap, when the latest requests were of certain sizes, in this order */
#ifndef TOY_FAULT
#define TOY_FAULT FAULT_NONE
#endif

/* The name by which the allocator calls itself where CALLS_ITSELF says so: then it needs to be preloaded. */
#if defined(CALLS_ITSELF)
#define OWN_MALLOC malloc
#else
#define OWN_MALLOC toy_malloc
#endif

struct header {
  char* base;   /* start of the chunk's piece, or of the mapping */
  size_t total; /* bytes from base on */
  size_t bin;   /* kMapped for a mapping of its own */
  size_t usable;
};

enum { kBins = 20, kSmallestShift = 6, kMapped = 99 };
static const size_t kLargestPiece = (size_t)1 << (kSmallestShift + kBins - 1);
static const size_t kChunk = (size_t)64 << 20;

static char* free_pieces[kBins];
static char* chunk_at;
static char* chunk_end;
static int lock_word;
static char* last_block;
static unsigned long allocations;
static int main_pid;
static unsigned long live_blocks;
static int turn_of;
static int turns;

static void lock(void) {
  while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE) != 0) {
  }
}
static void unlock(void) {
  __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

static struct header* header_of(void* block) {
  return (struct header*)block - 1;
}
static int triggers(size_t size) {
  return size >= 600 && size < 700;
}

static size_t bin_of(size_t total) {
  size_t bin = 0;
  while (((size_t)1 << (bin + kSmallestShift)) < total) ++bin;
  return bin;
}

static char* map(size_t total) {
  void* pages = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED && TOY_FAULT != FAULT_IGNORES_MMAP ? NULL : pages;
}

static char* take_piece(size_t bin) {
  char* piece = free_pieces[bin];
  if (piece != NULL) {
    memcpy(&free_pieces[bin], piece, sizeof(char*));
    return piece;
  }
  const size_t total = (size_t)1 << (bin + kSmallestShift);
  if ((size_t)(chunk_end - chunk_at) < total) {
    chunk_at = map(kChunk);
    if (chunk_at == NULL) return NULL;
    chunk_end = chunk_at + kChunk;
  }
  piece = chunk_at;
  chunk_at += total;
  return piece;
}

/* Each step is a branch that coverage sees; what the requests answer says nothing of it. */
__attribute__((noinline)) static int is_deep(size_t size) {
  static int depth;
  if (depth == 0 && size == 7) {
    depth = 1;
  } else if (depth == 1 && size == 19) {
    depth = 2;
  } else if (depth == 2 && size == 33) {
    depth = 3;
  } else if (depth == 3 && size == 50) {
    depth = 0;
    return 1;
  } else {
    depth = 0;
  }
  return 0;
}

/* What a fault does before an allocation; a block when it replaces it. */
__attribute__((noinline)) static void* misbehave(size_t size) {
  if (main_pid == 0) main_pid = getpid();
  ++allocations;
  switch (TOY_FAULT) {
    case FAULT_OVERLAP: return triggers(size) ? last_block : NULL;
    case FAULT_STATEFUL: return triggers(size) && allocations >= 3000 ? last_block : NULL;
    case FAULT_FORK: return getpid() != main_pid ? last_block : NULL;
    case FAULT_CONTENTS:
      if (triggers(size) && last_block != NULL && header_of(last_block)->usable > 17) last_block[17] ^= 1;
      return NULL;
    case FAULT_CRASH:
      if (triggers(size)) *(volatile int*)8 = 1;
      return NULL;
    case FAULT_ABORT:
      if (triggers(size)) abort();
      return NULL;
    case FAULT_EXIT:
      if (triggers(size)) _exit(7);
      return NULL;
    case FAULT_UNMAPS_LIVE:
      if (triggers(size) && last_block != NULL) munmap((void*)((uintptr_t)last_block & ~(uintptr_t)4095), 4096);
      return NULL;
    case FAULT_DEEP: return is_deep(size) ? last_block : NULL;
    case FAULT_HANG:
      while (triggers(size)) usleep(1000);
      return NULL;
    case FAULT_TURNS:
      if (!triggers(size)) return NULL;
      if (turn_of != gettid()) ++turns;
      turn_of = gettid();
      return turns > 2 ? last_block : NULL;
    default: return NULL;
  }
}

static void* place(char* base, size_t total, size_t bin, size_t alignment) {
  const uintptr_t first = (uintptr_t)base + sizeof(struct header);
  char* block = (char*)((first + alignment - 1) & ~(alignment - 1));
  struct header* header = header_of(block);
  header->base = base;
  header->total = total;
  header->bin = bin;
  header->usable = (size_t)(base + total - block);
  return block;
}

static void* allocate(size_t size, size_t alignment, int* zeroed) {
  *zeroed = 0;
  if (alignment < 16) alignment = 16;
  if (size > PTRDIFF_MAX && TOY_FAULT == FAULT_BIG_SUCCEEDS) size = 100;
  const size_t slack = sizeof(struct header) + (alignment > 16 ? alignment : 16);
  if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX / 2 || size + slack > PTRDIFF_MAX) {
    errno = TOY_FAULT == FAULT_ERRNO ? EAGAIN : ENOMEM;
    return NULL;
  }
  if (TOY_FAULT == FAULT_NULL && triggers(size)) {
    errno = ENOMEM;
    return NULL;
  }
  if (TOY_FAULT == FAULT_OUTSIDE && triggers(size)) {
    char* pages = map(8192);
    void* block = place(pages, 8192, kMapped, 4096);
    mprotect(block, 4096, PROT_NONE);
    return block;
  }
  if (TOY_FAULT == FAULT_ZERO_ALIAS && size == 0) {
    static char zero[64] __attribute__((aligned(64)));
    return place(zero, sizeof zero, kMapped, 16);
  }
  lock();
  char* block = misbehave(size);
  if (block == NULL && size + slack <= kLargestPiece) {
    const size_t bin = bin_of(size + slack);
    char* base = take_piece(bin);
    if (base != NULL) block = place(base, (size_t)1 << (bin + kSmallestShift), bin, alignment);
  } else if (block == NULL) {
    char* base = map(size + slack);
    if (base != NULL) block = place(base, size + slack, kMapped, alignment);
    *zeroed = 1;
  }
  if (block != NULL) {
    last_block = block;
    ++live_blocks;
  }
  unlock();
  if (block == NULL) errno = ENOMEM;
  if (TOY_FAULT == FAULT_ALIGNMENT && triggers(size) && block != NULL) {
    const struct header header = *header_of(block);
    block += 8;
    *header_of(block) = header;
    header_of(block)->usable -= 8;
  }
  return block;
}

static void release(void* block) {
  if (block == NULL) return;
  const int saved_errno = errno;
  const struct header header = *header_of(block);
  lock();
  if (last_block == block) last_block = NULL;
  if (--live_blocks == 0) turns = turn_of = 0;
  if (TOY_FAULT == FAULT_FOOTPRINT) {
  } else if (header.bin == kMapped) {
    munmap(header.base, header.total);
  } else {
    memcpy(header.base, &free_pieces[header.bin], sizeof(char*));
    free_pieces[header.bin] = header.base;
  }
  unlock();
  errno = TOY_FAULT == FAULT_FREE_ERRNO ? EBUSY : saved_errno;
}

static void* toy_malloc(size_t size) {
  int zeroed;
  return allocate(size, 16, &zeroed);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void* malloc(size_t size) {
  return toy_malloc(size);
}

EXPORT void free(void* block) {
  if (TOY_FAULT == FAULT_READS_FREED && block != NULL && *(const uint64_t*)block == 0x6b6c6d6e6f707172) return;
  release(block);
}

EXPORT void* calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  char* block = OWN_MALLOC(total);
  if (block != NULL && TOY_FAULT != FAULT_ZEROING) memset(block, 0, total);
  return block;
}

EXPORT size_t malloc_usable_size(void* block) {
  static size_t asked;
  if (block == NULL) return 0;
  const size_t usable = header_of(block)->usable;
  if (TOY_FAULT == FAULT_USABLE_SMALL && usable > 600 && usable < 1100) return 599;
  if (TOY_FAULT == FAULT_USABLE_CHANGES && usable > 700 && usable < 1100) return usable - asked++ % 2 * 8;
  return usable;
}

EXPORT void* realloc(void* block, size_t size) {
  if (block == NULL) return OWN_MALLOC(size);
  const size_t usable = header_of(block)->usable;
  if (size <= usable && size >= usable / 4) return block;
  char* moved = OWN_MALLOC(size);
  if (moved == NULL) return NULL;
  size_t kept = usable < size ? usable : size;
  if (TOY_FAULT == FAULT_REALLOC_TAIL) kept /= 4;
  memcpy(moved, block, kept);
  release(block);
  return moved;
}

static int power_of_two(size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  int zeroed;
  if (!power_of_two(alignment)) {
    errno = EINVAL;
    return NULL;
  }
  return allocate(size, alignment, &zeroed);
}

EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  int zeroed;
  const int saved_errno = errno;
  void* block = NULL;
  const int legal = power_of_two(alignment) && alignment % sizeof(void*) == 0;
  if (legal) block = allocate(size, alignment, &zeroed);
  errno = saved_errno;
  if (block != NULL || TOY_FAULT == FAULT_MEMALIGN_OUT) *out = block;
  return block != NULL ? 0 : legal ? ENOMEM : EINVAL;
}
