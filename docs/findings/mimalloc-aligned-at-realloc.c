// C23 7.24.3.7p2: realloc keeps the contents. Link with mimalloc: cc mimalloc-aligned-at-realloc.c -lmimalloc
#include <stddef.h>
#include <stdio.h>

void* mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset);
void* mi_realloc(void* block, size_t size);

int main(void) {
  unsigned char* block = mi_malloc_aligned_at(1, 8, 1);
  *block = 0xA5;
  printf("block %p\n", (void*)block);
  block = mi_realloc(block, 2);
  printf("after realloc to 2 bytes: %p, first byte %#x (0xa5 was written)\n", (void*)block, *block);
  return *block == 0xA5 ? 0 : 1;
}
