// C23 7.24.3.1p2: with an alignment that is not valid aligned_alloc fails, and never is a block smaller than its size.
// The alignment is no power of two, and rounding SIZE_MAX up to it comes out as a few bytes: they are what one gets.
// Found by `assay fuzz differential` with tcmalloc among the subjects.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  // Not known when this is compiled: the compiler warns of such a size, and knows that it cannot be.
  volatile size_t size = SIZE_MAX;
  volatile size_t alignment = 4097;
  void* block = aligned_alloc(alignment, size);
  printf("aligned_alloc(%zu, SIZE_MAX): %p", alignment, block);
  if (block != NULL) printf(", %zu bytes", malloc_usable_size(block));
  printf("\n");
  return block != NULL;
}
