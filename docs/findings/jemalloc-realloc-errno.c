// POSIX.1-2024 realloc, ERRORS: a realloc that fails sets errno to ENOMEM. Run with LD_PRELOAD=libjemalloc.so.2.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  volatile size_t size = (size_t)PTRDIFF_MAX + 1;
  void* const block = malloc(24);
  errno = 0;
  void* const moved = realloc(block, size);
  printf("realloc(p, PTRDIFF_MAX + 1): %p, errno %d (ENOMEM is %d)\n", moved, errno, ENOMEM);
  return moved == NULL && errno == ENOMEM ? 0 : 1;
}
