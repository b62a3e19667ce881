// Two blocks of large alignment, allocated and freed in turn: each round reserves address space that no later one uses.
// Found by `assay diff corpus/alloc_ops/*.ops` (edge-110: more memory each time that the program runs).
//
//   gcc -O1 -fno-builtin docs/findings/jemalloc-aligned-growth.c -o /tmp/finding
//   LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 /tmp/finding
#include <stdio.h>
#include <stdlib.h>

static void show(int rounds) {
  FILE* statm = fopen("/proc/self/statm", "r");
  long pages = 0, resident = 0;
  if (statm == NULL || fscanf(statm, "%ld %ld", &pages, &resident) != 2) exit(2);
  fclose(statm);
  printf("%6d rounds: %ld MiB of address space, %ld KiB resident\n", rounds, pages / 256, resident * 4);
}

int main(void) {
  volatile size_t small = (size_t)64 << 20, large = (size_t)128 << 20;
  for (int round = 1; round <= 16000; ++round) {
    void* first = aligned_alloc(small, 100);
    free(first);
    void* second = aligned_alloc(large, 48);
    free(second);
    if (round == 1000 || round == 4000 || round == 16000) show(round);
  }
  return 0;
}
