// mimalloc.h: mi_is_in_heap_region(p) is true when p points into memory that mimalloc manages.
// A block whose alignment is 64 MiB or more is in none, though mimalloc has given it (found by `assay fuzz alloc_ops`).
// Links with mimalloc itself: gcc -O1 mimalloc-in-heap-region.c -lmimalloc, or the path of libmimalloc.so.2.0.
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

void* mi_malloc_aligned(size_t size, size_t alignment);
bool mi_is_in_heap_region(const void* block);
void mi_free(void* block);

int main(void) {
  int wrong = 0;
  for (size_t alignment = 16; alignment <= (size_t)1 << 27; alignment *= 2) {
    void* block = mi_malloc_aligned(100, alignment);
    if (block == NULL) continue;
    if (!mi_is_in_heap_region(block)) {
      printf("mi_malloc_aligned(100, %zu): %p, in no heap region\n", alignment, block);
      wrong = 1;
    }
    mi_free(block);
  }
  return wrong;
}
