/* An allocator for the tests of the minimiser: power-of-two classes with a header before each block, freed blocks used
 * again in the order last in, first out. Compiled with -DBANK_FAULT=FAULT_<what> it has one bug that needs some
 * history, unlike tests/controls/toy_malloc.c, whose faults show at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define FAULT_NONE 0
#define FAULT_LATE_OVERLAP 1   /* the tenth block of 100 to 999 bytes is the ninth once more */
#define FAULT_WRAPPED_CALLOC 2 /* count times size is not checked */
#define FAULT_ALIGNED_OFF \
  3 /* aligned_alloc of an alignment above 64 gives 64 after a block of more than 4 KiB was freed */
#define FAULT_DIRTY_REUSE 4    /* calloc takes a block that was used before for zero */
#define FAULT_REALLOC_TAIL 5   /* a realloc that moves changes the last byte */
#define FAULT_REALLOC_GROWN 6  /* a block that grew twice is freed into the class that it had at first */
#define FAULT_FOREIGN_FREE 7   /* a block that another thread frees goes onto its list twice */
#define FAULT_EXIT_REUSE 8     /* a thread that exits frees the last block that it allocated */
#define FAULT_THREE_FREES 9    /* the third free in a row of one class keeps its block on the list for ever */
#define FAULT_CRASH_FREE 10    /* free of a block that realloc has moved reads address 8 */
#define FAULT_HANG_ALIGNED 11  /* posix_memalign while two aligned blocks live does not return */
#define FAULT_USABLE_SHRUNK 12 /* after an in-place shrink usable_size answers the old request plus 8 */
#define FAULT_ABORT_TINY 13    /* aborts at the second malloc of at most 8 bytes */
#define FAULT_EXIT_LARGE 14    /* ends the process, with status 0, when a block above 1 MiB is freed */
#define FAULT_FLAKY_OVERLAP 15 /* one malloc in three of 100 to 999 bytes gives out the block before it, by entropy */
#define FAULT_NEIGHBOUR 16     /* free writes behind its block where that was 4,000 bytes or more */
#define FAULT_NULL_AGAIN 17    /* malloc of more than 64 KiB is NULL when the call before it was a free */
#ifndef BANK_FAULT
#define BANK_FAULT FAULT_NONE
#endif

struct header {
  char* base;
  size_t bin, requested, usable;
  uint64_t owner;
  uint32_t moves, aligned;
};

enum { kBins = 40, kSmallestShift = 7 };
static const size_t kChunk = (size_t)64 << 20;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char* free_blocks[kBins];
static char *chunk_at, *chunk_end;
static char* last_block;
static unsigned middling, frees_in_a_row, last_bin = kBins, tiny, large_freed, aligned_live, after_free;
static __thread uint64_t thread_id;
static __thread char* thread_block;
static uint64_t threads;
static pthread_key_t key;

static struct header* header_of(void* block) {
  return (struct header*)block - 1;
}

static void on_thread_exit(void* unused);
__attribute__((constructor)) static void start(void) {
  pthread_key_create(&key, on_thread_exit);
}

static uint64_t self(void) {
  if (thread_id == 0) {
    thread_id = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    if (BANK_FAULT == FAULT_EXIT_REUSE) pthread_setspecific(key, &thread_id);
  }
  return thread_id;
}

static size_t total_of(size_t bin) {
  return (size_t)1 << (bin + kSmallestShift);
}

static char* take(size_t bin) {
  char* base = free_blocks[bin];
  if (base != NULL) {
    memcpy(&free_blocks[bin], base, sizeof(char*));
    return base;
  }
  const size_t total = total_of(bin);
  if (total > kChunk) {
    base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return base == MAP_FAILED ? NULL : base;
  }
  if ((size_t)(chunk_end - chunk_at) < total) {
    chunk_at = mmap(NULL, kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (chunk_at == MAP_FAILED) {
      chunk_at = chunk_end = NULL;
      return NULL;
    }
    chunk_end = chunk_at + kChunk;
  }
  base = chunk_at;
  chunk_at += total;
  return base;
}

static void put(char* base, size_t bin) {
  if (total_of(bin) > kChunk) {
    munmap(base, total_of(bin));
    return;
  }
  memcpy(base, &free_blocks[bin], sizeof(char*));
  free_blocks[bin] = base;
}

static int repeats(size_t size) {
  if (size < 100 || size > 999 || last_block == NULL) return 0;
  unsigned char random = 255;
  if (BANK_FAULT == FAULT_LATE_OVERLAP) return ++middling == 10;
  return BANK_FAULT == FAULT_FLAKY_OVERLAP && getrandom(&random, 1, 0) == 1 && random < 85;
}

static char* allocate(size_t size, size_t alignment) {
  if (alignment < 16) alignment = 16;
  if (size > PTRDIFF_MAX || alignment > ((size_t)1 << 40) || size > ((size_t)1 << 45)) return NULL;
  if (repeats(size)) return last_block;
  const size_t wanted = size + sizeof(struct header) + alignment;
  size_t bin = 0;
  while (total_of(bin) < wanted) ++bin;
  if (bin >= kBins) return NULL;
  char* base = take(bin);
  if (base == NULL) return NULL;
  const uintptr_t first = (uintptr_t)base + sizeof(struct header);
  char* block = base + (((first + alignment - 1) & ~(alignment - 1)) - (uintptr_t)base);
  const size_t usable = (size_t)(base + total_of(bin) - block);
  *header_of(block) = (struct header){base, bin, size, usable, self(), 0, alignment > 16};
  if (size >= 100 && size <= 999) last_block = block;
  thread_block = block;
  return block;
}

static void* allocate_locked(size_t size, size_t alignment) {
  pthread_mutex_lock(&mutex);
  char* block = allocate(size, alignment);
  if (block != NULL && alignment > 16) ++aligned_live;
  frees_in_a_row = after_free = 0;
  pthread_mutex_unlock(&mutex);
  if (block == NULL) errno = ENOMEM;
  return block;
}

static void release(char* block) {
  struct header* header = header_of(block);
  const size_t bin = header->bin;
  if (last_block == block) last_block = NULL;
  if (thread_block == block) thread_block = NULL;
  if (header->aligned) --aligned_live;
  if (BANK_FAULT == FAULT_CRASH_FREE && header->moves > 0) frees_in_a_row += *(volatile unsigned*)8;
  if (BANK_FAULT == FAULT_EXIT_LARGE && header->usable > (1 << 20)) _exit(0);
  if (BANK_FAULT == FAULT_NEIGHBOUR && header->requested >= 4000) block[header->usable + 200] ^= 1;
  if (header->requested > 4096) large_freed = 1;
  frees_in_a_row = bin == last_bin ? frees_in_a_row + 1 : 1;
  last_bin = (unsigned)bin;
  after_free = 1;
  const int twice = (BANK_FAULT == FAULT_FOREIGN_FREE && header->owner != self()) ||
                    (BANK_FAULT == FAULT_THREE_FREES && frees_in_a_row == 3);
  char* base = header->base;
  put(base, BANK_FAULT == FAULT_REALLOC_GROWN && header->moves > 1 ? bin + 1 : bin);
  /* Its own successor: the next two allocations of this class are one. */
  if (twice && total_of(bin) <= kChunk) memcpy(base, &base, sizeof(char*));
}

static void on_thread_exit(void* unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  if (thread_block != NULL) release(thread_block);
  pthread_mutex_unlock(&mutex);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void* malloc(size_t size) {
  if (BANK_FAULT == FAULT_ABORT_TINY && size <= 8 && ++tiny == 2) abort();
  if (BANK_FAULT == FAULT_NULL_AGAIN && size > 65536 && after_free) {
    errno = ENOMEM;
    return NULL;
  }
  return allocate_locked(size, 16);
}

EXPORT void free(void* block) {
  if (block == NULL) return;
  const int saved_errno = errno;
  pthread_mutex_lock(&mutex);
  release(block);
  pthread_mutex_unlock(&mutex);
  errno = saved_errno;
}

EXPORT void* calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) && BANK_FAULT != FAULT_WRAPPED_CALLOC) {
    errno = ENOMEM;
    return NULL;
  }
  char* block = allocate_locked(bytes, 16);
  /* The largest ones are fresh from the system. */
  const int fresh = block != NULL && total_of(header_of(block)->bin) > kChunk;
  if (block != NULL && !fresh && BANK_FAULT != FAULT_DIRTY_REUSE) memset(block, 0, bytes);
  return block;
}

EXPORT size_t malloc_usable_size(void* block) {
  return block == NULL ? 0 : header_of(block)->usable;
}

EXPORT void* realloc(void* block, size_t size) {
  if (block == NULL) return malloc(size);
  struct header* header = header_of(block);
  if (size <= header->usable) {
    if (BANK_FAULT == FAULT_USABLE_SHRUNK && size < header->requested) header->usable += 8;
    header->requested = size;
    return block;
  }
  char* moved = allocate_locked(size, 16);
  if (moved == NULL) return NULL;
  header_of(moved)->moves = header->moves + 1;
  memcpy(moved, block, header->usable);
  if (BANK_FAULT == FAULT_REALLOC_TAIL && header->requested > 0) moved[header->requested - 1] ^= 1;
  free(block);
  return moved;
}

static int power_of_two(size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  if (!power_of_two(alignment)) {
    errno = EINVAL;
    return NULL;
  }
  char* block = allocate_locked(size, alignment);
  if (BANK_FAULT != FAULT_ALIGNED_OFF || block == NULL || !large_freed || alignment <= 64) return block;
  const struct header header = *header_of(block);
  block -= 64;
  *header_of(block) = header;
  header_of(block)->usable += 64;
  return block;
}

EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  if (!power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  while (BANK_FAULT == FAULT_HANG_ALIGNED && aligned_live >= 2) usleep(1000);
  const int saved_errno = errno;
  void* block = allocate_locked(size, alignment);
  errno = saved_errno;
  if (block == NULL) return ENOMEM;
  *out = block;
  return 0;
}
