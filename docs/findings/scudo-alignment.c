// POSIX posix_memalign: which alignments are supported is the implementation's choice.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  for (int shift = 12; shift <= 30; ++shift) {
    volatile size_t alignment = (size_t)1 << shift;
    void* block = NULL;
    const int error = posix_memalign(&block, alignment, 64);
    printf("posix_memalign(2^%d, 64): %d\n", shift, error);
    free(block);
  }
  return 0;
}
