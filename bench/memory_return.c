/* Memory that an allocator keeps after its program has let go of it: one scenario a process, on whatever allocator is
 * preloaded. 256 MiB in blocks of 16 B to 8 KiB, then two seconds of light activity, then the resident memory of the
 * process in KiB on standard output. What the program itself needs (a table of pointers) is a mapping that is gone by
 * then, but for what 90 % leaves live.
 *
 *   memory_return all|threads|most [uniform|log] [mixed|pairs|none]
 *     all      one thread allocates and frees everything
 *     threads  four threads allocate a quarter each and exit, the main thread frees everything
 *     most     one thread allocates everything and frees 90 % of the blocks, drawn at random
 *     uniform, log    every size alike, or every doubling alike (default)
 *     mixed, pairs, none    light activity: each millisecond one of 64 live blocks is replaced by one of another size
 *                           (default), or 64 bytes are allocated and freed, or nothing happens */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { kSmallest = 16, kLargest = 8192, kThreads = 4, kSlots = 64, kLightMs = 2000 };
static const size_t kTotal = (size_t)256 << 20;
static const size_t kMostBlocks = ((size_t)256 << 20) / kSmallest;

static void** blocks; /* of all threads; each has a part of the table of its own */
static size_t counts[kThreads];
static int uniform;

static uint64_t next_random(uint64_t* state) {
  *state += 0x9e3779b97f4a7c15u;
  uint64_t mixed = *state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

static size_t draw_size(uint64_t* state) {
  const uint64_t drawn = next_random(state);
  if (uniform) return kSmallest + drawn % (kLargest - kSmallest + 1);
  return (size_t)((double)kSmallest * exp2((double)(drawn >> 11) * 0x1p-53 * 9));
}

static void* allocate(size_t size) {
  char* const block = malloc(size);
  if (block == NULL) abort();
  memset(block, 0x5a, size);
  return block;
}

static void fill_part(size_t part, size_t parts) {
  uint64_t state = part + 1;
  void** const mine = blocks + part * (kMostBlocks / kThreads);
  for (size_t bytes = 0; bytes < kTotal / parts;) {
    const size_t size = draw_size(&state);
    mine[counts[part]++] = allocate(size);
    bytes += size;
  }
}

static void* fill_on_thread(void* part) {
  fill_part((size_t)part, kThreads);
  return NULL;
}

static void free_part(size_t part) {
  void** const mine = blocks + part * (kMostBlocks / kThreads);
  for (size_t i = 0; i < counts[part]; ++i) free(mine[i]);
}

static void free_most(void) {
  uint64_t state = 99;
  for (size_t i = 0; i < counts[0]; ++i) {
    if (next_random(&state) % 10 != 0) free(blocks[i]);
  }
}

static void be_lightly_active(const char* how) {
  static void* slots[kSlots];
  uint64_t state = 7;
  for (int ms = 0; ms < kLightMs; ++ms) {
    const struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
    if (strcmp(how, "mixed") == 0) {
      void** const slot = &slots[next_random(&state) % kSlots];
      free(*slot);
      *slot = allocate(draw_size(&state));
    } else if (strcmp(how, "pairs") == 0) {
      free(allocate(64));
    }
  }
}

/* Without stdio, whose buffer is the allocator's. */
static long resident_kib(void) {
  char text[256] = {0};
  const int file = open("/proc/self/statm", O_RDONLY);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0) abort();
  close(file);
  char* end = text;
  strtol(text, &end, 10);
  return strtol(end, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int count, char** arguments) {
  const char* const scenario = count > 1 ? arguments[1] : "";
  uniform = count > 2 && strcmp(arguments[2], "uniform") == 0;
  const char* const light = count > 3 ? arguments[3] : "mixed";
  const size_t table = kMostBlocks * sizeof(void*);
  blocks = mmap(NULL, table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (blocks == MAP_FAILED) return 1;
  if (strcmp(scenario, "threads") == 0) {
    pthread_t threads[kThreads];
    for (size_t i = 0; i < kThreads; ++i) {
      if (pthread_create(&threads[i], NULL, &fill_on_thread, (void*)i) != 0) return 1;
    }
    for (size_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < kThreads; ++i) free_part(i);
  } else if (strcmp(scenario, "all") == 0 || strcmp(scenario, "most") == 0) {
    fill_part(0, 1);
    strcmp(scenario, "all") == 0 ? free_part(0) : free_most();
  } else {
    fprintf(stderr, "memory_return: all, threads or most; see the head of memory_return.c\n");
    return 2;
  }
  munmap(blocks, table);
  be_lightly_active(light);
  printf("%ld\n", resident_kib());
  return 0;
}
