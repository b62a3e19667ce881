/* Two workloads of a trie library that met jemalloc's limits, on jemalloc, with its own statistics. Started by
 * bench/jemalloc_study.py, once for each setting; jemalloc is preloaded.
 *
 *   storm THREADS ROUNDS   all threads at once: a block of 32 bytes, the thread's first, ten nodes of 88 to 200 bytes,
 *                          everything dropped, the thread exits; ROUNDS generations
 *   arenas                 arenas are made until one is refused; each gets one block
 *
 * Prints one line of JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

__attribute__((weak)) int mallctl(const char* name, void* old, size_t* old_size, void* new_value, size_t new_size);
__attribute__((weak)) void* mallocx(size_t size, int flags);
/* As jemalloc.h has it. */
#define IN_ARENA(arena) ((int)(((arena) + 1) << 20))
#define WITHOUT_TCACHE (1 << 8)

enum { kNodes = 10, kFirst = 32, kSmallest = 88, kLargest = 200 };

static pthread_barrier_t start;
static size_t peak_metadata, peak_resident, peak_arenas;

static size_t figure(const char* name) {
  uint64_t epoch = 1;
  size_t value = 0, size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, sizeof epoch);
  size = sizeof value;
  return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

static unsigned arenas_made(void) {
  unsigned count = 0;
  size_t size = sizeof count;
  return mallctl("arenas.narenas", &count, &size, NULL, 0) == 0 ? count : 0;
}

/* Arenas with a thread, or that ever had one: the others take no memory. */
static size_t arenas_in_use(void) {
  size_t used = 0;
  for (unsigned arena = 0; arena < arenas_made(); ++arena) {
    char name[64];
    snprintf(name, sizeof name, "stats.arenas.%u.base", arena);
    used += figure(name) != 0;
  }
  return used;
}

static uint64_t waits(void) {
  uint64_t sum = 0;
  for (unsigned arena = 0; arena < arenas_made(); ++arena) {
    static const char* const locks[] = {"large", "extent_avail", "extents_dirty", "decay_dirty", "base", "tcache_list"};
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; ++i) {
      char name[96];
      uint64_t value = 0;
      size_t size = sizeof value;
      snprintf(name, sizeof name, "stats.arenas.%u.mutexes.%s.num_wait", arena, locks[i]);
      if (mallctl(name, &value, &size, NULL, 0) == 0) sum += value;
    }
  }
  return sum;
}

/* Of the processor: what else runs on the machine hardly changes it. */
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void* live(void* argument) {
  unsigned seed = (unsigned)(uintptr_t)argument;
  void* nodes[kNodes];
  pthread_barrier_wait(&start);
  void* const first = malloc(kFirst);
  if (first == NULL) abort();
  memset(first, 1, kFirst);
  for (int i = 0; i < kNodes; ++i) {
    const size_t size = kSmallest + (size_t)rand_r(&seed) % (kLargest - kSmallest + 1);
    nodes[i] = malloc(size);
    if (nodes[i] == NULL) abort();
    memset(nodes[i], i, size);
  }
  for (int i = 0; i < kNodes; ++i) {
    if (((char*)nodes[i])[kSmallest - 1] != (char)i) abort();
    free(nodes[i]);
  }
  free(first);
  pthread_barrier_wait(&start);
  return NULL;
}

static void note_peaks(void) {
  const size_t metadata = figure("stats.metadata"), resident = figure("stats.resident"), arenas = arenas_in_use();
  if (metadata > peak_metadata) peak_metadata = metadata;
  if (resident > peak_resident) peak_resident = resident;
  if (arenas > peak_arenas) peak_arenas = arenas;
}

static void storm(unsigned threads, unsigned rounds) {
  pthread_t* const all = malloc(threads * sizeof *all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  double seconds = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    pthread_barrier_init(&start, NULL, threads + 1);
    for (unsigned i = 0; i < threads; ++i) {
      if (pthread_create(&all[i], &attributes, live, (void*)(uintptr_t)(round * threads + i + 1)) != 0) abort();
    }
    const double begin = now();
    pthread_barrier_wait(&start);
    pthread_barrier_wait(&start);
    seconds += now() - begin;
    note_peaks();
    for (unsigned i = 0; i < threads; ++i) pthread_join(all[i], NULL);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf(
      "{\"cpu_us_per_item\": %.2f, \"metadata_kib\": %zu, \"resident_kib\": %zu, \"arenas\": %zu, \"waits\": %llu, "
      "\"after_resident_kib\": %zu, \"minor_faults\": %ld}\n",
      seconds * 1e6 / ((double)threads * rounds), peak_metadata >> 10, peak_resident >> 10, peak_arenas,
      (unsigned long long)waits(), figure("stats.resident") >> 10, usage.ru_minflt);
}

static void arenas(void) {
  const size_t before = figure("stats.metadata"), resident = figure("stats.resident");
  unsigned made = 0, index = 0;
  int error = 0;
  const double begin = now();
  while (made < 100000) {
    size_t size = sizeof index;
    error = mallctl("arenas.create", &index, &size, NULL, 0);
    if (error != 0) break;
    void* const block = mallocx(64, IN_ARENA(index) | WITHOUT_TCACHE);
    if (block == NULL) break;
    memset(block, 1, 64);
    ++made;
  }
  const double seconds = now() - begin;
  printf(
      "{\"made\": %u, \"error\": \"%s\", \"metadata_kib\": %zu, \"metadata_kib_each\": %.1f, \"resident_kib\": %zu, "
      "\"cpu_us_each\": %.1f}\n",
      made, error == 0 ? "" : strerrorname_np(error), (figure("stats.metadata") - before) >> 10,
      (double)(figure("stats.metadata") - before) / 1024 / (made > 0 ? made : 1),
      (figure("stats.resident") - resident) >> 10, seconds * 1e6 / (made > 0 ? made : 1));
}

int main(int argc, char** argv) {
  if (mallctl == NULL || mallocx == NULL) {
    fprintf(stderr, "jemalloc is not preloaded\n");
    return 2;
  }
  if (argc == 4 && strcmp(argv[1], "storm") == 0) {
    storm((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
  } else if (argc == 2 && strcmp(argv[1], "arenas") == 0) {
    arenas();
  } else {
    fprintf(stderr, "usage: jemalloc_study storm THREADS ROUNDS | arenas\n");
    return 2;
  }
  return 0;
}
