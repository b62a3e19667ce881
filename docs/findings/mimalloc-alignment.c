// C23 7.24.3.1p2: aligned_alloc gives a block of the alignment that was asked for, or fails. Run with
// LD_PRELOAD=libmimalloc.so.2.0.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  int wrong = 0;
  for (volatile size_t size = 64; size <= 4096; size *= 2) {
    void* const block = aligned_alloc(size, size);
    const int aligned = (uintptr_t)block % size == 0;
    printf("aligned_alloc(%zu, %zu): %p%s\n", size, size, block, aligned ? "" : ", not aligned");
    wrong += !aligned;
  }
  return wrong == 0 ? 0 : 1;
}
