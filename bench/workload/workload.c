/* A named pattern of calls to malloc and free, run in a process of its own under whichever allocator is preloaded.
 *
 *   bench_workload NAME OPERATIONS
 *
 * pairs-SIZE   malloc(SIZE), one byte written, free; again and again, while another block of that size stays out, so
 *              that no pair empties a page
 * mixed        1,024 slots; each operation frees a random one and fills it with 1 B to 4 KiB, small sizes more often
 *
 * Prints the line VmHWM of /proc/self/status: the peak of this program alone, without what started it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kSlots = 1024 };

static uint64_t next_random(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void out_of_memory(void) {
  fputs("bench_workload: out of memory\n", stderr);
  exit(1);
}

static void pairs(size_t size, uint64_t operations) {
  char* volatile kept = malloc(size);
  if (!kept) out_of_memory();
  for (uint64_t i = 0; i < operations; ++i) {
    char* volatile block = malloc(size);
    if (!block) out_of_memory();
    *block = (char)i;
    free(block);
  }
  free(kept);
}

static void mixed(uint64_t operations) {
  static char* slots[kSlots];
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (uint64_t i = 0; i < operations; ++i) {
    const uint64_t random = next_random(&state);
    const size_t slot = random % kSlots;
    /* Two draws multiplied lean towards the small. */
    const size_t size = 1 + ((random >> 16) % 64) * ((random >> 32) % 64);
    free(slots[slot]);
    slots[slot] = malloc(size);
    if (!slots[slot]) out_of_memory();
    slots[slot][0] = (char)i;
    slots[slot][size - 1] = (char)i;
  }
  for (size_t slot = 0; slot < kSlots; ++slot) free(slots[slot]);
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

int main(int argc, char** argv) {
  uint64_t operations, size;
  if (argc == 3 && parse(argv[2], &operations)) {
    if (strncmp(argv[1], "pairs-", 6) == 0 && parse(argv[1] + 6, &size)) {
      pairs((size_t)size, operations);
      print_peak();
      return 0;
    }
    if (strcmp(argv[1], "mixed") == 0) {
      mixed(operations);
      print_peak();
      return 0;
    }
  }
  fputs("usage: bench_workload pairs-SIZE|mixed OPERATIONS\n", stderr);
  return 2;
}
