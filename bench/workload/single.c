/* Patterns of one thread. */
#include <stdlib.h>

#include "workload.h"

enum { kSlots = 1024, kCheeseBlocks = 60000, kRefillSize = 1280 };

void pairs(uint64_t operations, uint64_t size) {
  char* volatile kept = malloc(size);
  if (!kept) fail("out of memory");
  for (uint64_t i = 0; i < operations; ++i) {
    char* volatile block = malloc(size);
    if (!block) fail("out of memory");
    *block = (char)i;
    free(block);
  }
  free(kept);
}

void mixed(uint64_t operations, uint64_t number) {
  static char* slots[kSlots];
  uint64_t state = seed_of(0, number);
  for (uint64_t i = 0; i < operations; ++i) {
    const uint64_t random = next_random(&state);
    const size_t slot = random % kSlots;
    /* Two draws multiplied lean towards the small. */
    const size_t size = 1 + ((random >> 16) % 64) * ((random >> 32) % 64);
    free(slots[slot]);
    slots[slot] = filled(size, i);
  }
  for (size_t slot = 0; slot < kSlots; ++slot) free(slots[slot]);
}

void swiss_cheese(uint64_t operations, uint64_t number) {
  static char* slots[kCheeseBlocks];
  uint64_t state = seed_of(0, number);
  for (uint64_t done = 0; done < operations; done += kCheeseBlocks + kCheeseBlocks / 2) {
    for (size_t i = 0; i < kCheeseBlocks; ++i) slots[i] = filled(16 + next_random(&state) % 5485, i);
    for (size_t i = 0; i < kCheeseBlocks; i += 2) {
      const size_t victim = i + next_random(&state) % 2;
      free(slots[victim]);
      slots[victim] = NULL;
    }
    for (size_t i = 0; i < kCheeseBlocks; ++i) {
      if (!slots[i]) slots[i] = filled(kRefillSize, i);
    }
    for (size_t i = 0; i < kCheeseBlocks; ++i) free(slots[i]);
  }
}
