// valloc(3): the address is a multiple of the page size. Run with LD_PRELOAD=libjemalloc.so.2.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  void* const before = malloc(0);
  void* const block = valloc(0);
  printf("malloc(0): %p, valloc(0): %p\n", before, block);
  void* aligned = NULL;
  const int error = posix_memalign(&aligned, 4096, 0);
  printf("posix_memalign(4096, 0): %d, %p; aligned_alloc(4096, 0): %p\n", error, aligned, aligned_alloc(4096, 0));
  return (uintptr_t)block % 4096 == 0 ? 0 : 1;
}
