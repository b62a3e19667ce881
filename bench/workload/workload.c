/* A named pattern of calls to malloc, realloc and free, run in a process of its own under whichever allocator is
 * preloaded: docs/workloads.md says where each comes from. The number behind a name is a size (pairs) or threads.
 *
 *   bench_workload NAME OPERATIONS
 *
 * pairs-SIZE         malloc(SIZE), one byte written, free; again and again, while another block of that size stays out,
 *                    so that no pair empties a page
 * mixed              1,024 slots; each operation frees a random one and fills it with 1 B to 4 KiB, small sizes more
 * often swiss_cheese       blocks of 16 B to 5.5 KB, a random half freed, then as many blocks of 1,280 B; for its
 * memory larson-T           1,000 slots of 8 B to 1,000 B a thread, replaced at random; successors inherit them 50
 * times xmalloc-T          the first half of the threads allocates batches of 64 blocks, the others free them
 * cache_scratch-T    neighbouring blocks of 8 B, handed out by the first thread, are freed, allocated and written by
 * all mstress-T          blocks of 8 B to 64 KiB, one in four passed to other threads, threads end with theirs live
 * cow_trie-T         paths of four nodes of 88 to 200 B, copied by writers, freed by the last who held a snapshot
 * bulk_two_phase-T   buffers doubled from 64 B to 64 KiB by all threads, then freed by the first
 * trie_storm-T       all threads of a generation allocate 11 blocks at once, free them, and end
 *
 * Prints the line VmHWM of /proc/self/status: the peak of this program alone, without what started it. */
#include "workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char* what) {
  fprintf(stderr, "bench_workload: %s\n", what);
  exit(1);
}

char* filled(size_t size, uint64_t value) {
  char* block = malloc(size);
  if (!block) fail("out of memory");
  block[0] = (char)value;
  block[size - 1] = (char)value;
  return block;
}

struct thread {
  void (*body)(void* context, uint64_t index);
  void* context;
  uint64_t index;
};

static void* run_thread(void* argument) {
  const struct thread* thread = argument;
  thread->body(thread->context, thread->index);
  return NULL;
}

void run_threads(uint64_t threads, void (*body)(void* context, uint64_t index), void* context) {
  static pthread_t handles[kMaxThreads];
  static struct thread arguments[kMaxThreads];
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, 65536)) fail("no thread attributes");
  for (uint64_t i = 0; i < threads; ++i) {
    arguments[i] = (struct thread){body, context, i};
    if (pthread_create(&handles[i], &attributes, run_thread, &arguments[i])) fail("no thread");
  }
  for (uint64_t i = 0; i < threads; ++i) pthread_join(handles[i], NULL);
  pthread_attr_destroy(&attributes);
}

static void print_peak(void) {
  char text[4096];
  FILE* status = fopen("/proc/self/status", "r");
  if (!status) return;
  while (fgets(text, sizeof text, status)) {
    if (strncmp(text, "VmHWM:", 6) == 0) fputs(text, stdout);
  }
  fclose(status);
}

static int parse(const char* text, uint64_t* number) {
  char* end;
  *number = strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

static const struct {
  const char* name; /* with a '-' at its end, if a number follows */
  pattern* run;
  uint64_t least, most; /* that number */
} kPatterns[] = {
    {"pairs-", pairs, 1, (uint64_t)1 << 40},
    {"mixed", mixed, 0, 0},
    {"swiss_cheese", swiss_cheese, 0, 0},
    {"larson-", larson, 1, 64},
    {"xmalloc-", xmalloc, 2, 64},
    {"cache_scratch-", cache_scratch, 1, 64},
    {"mstress-", mstress, 1, 64},
    {"cow_trie-", cow_trie, 1, 64},
    {"bulk_two_phase-", bulk_two_phase, 1, 64},
    {"trie_storm-", trie_storm, 1, kMaxThreads},
};

int main(int argc, char** argv) {
  uint64_t operations, number = 0;
  if (argc == 3 && parse(argv[2], &operations)) {
    for (size_t i = 0; i < sizeof kPatterns / sizeof *kPatterns; ++i) {
      const size_t length = strlen(kPatterns[i].name);
      if (strncmp(argv[1], kPatterns[i].name, length) != 0) continue;
      const char* rest = argv[1] + length;
      if (kPatterns[i].most == 0 ? *rest != '\0' : !parse(rest, &number)) continue;
      if (number < kPatterns[i].least || number > kPatterns[i].most) break;
      kPatterns[i].run(operations, number);
      print_peak();
      return 0;
    }
  }
  fputs("usage: bench_workload NAME OPERATIONS, where NAME is one of", stderr);
  for (size_t i = 0; i < sizeof kPatterns / sizeof *kPatterns; ++i) {
    const int takes_number = kPatterns[i].most != 0;
    fprintf(stderr, " %s%s", kPatterns[i].name, takes_number ? "N" : "");
  }
  fputc('\n', stderr);
  return 2;
}
