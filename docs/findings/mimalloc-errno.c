// POSIX.1-2024 malloc, ERRORS: a malloc that fails sets errno to ENOMEM. Run with LD_PRELOAD=libmimalloc.so.2.0.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  volatile size_t size = (size_t)PTRDIFF_MAX + 1;
  errno = 0;
  void* const block = malloc(size);
  printf("malloc(PTRDIFF_MAX + 1): %p, errno %d (ENOMEM is %d)\n", block, errno, ENOMEM);
  return block == NULL && errno == ENOMEM ? 0 : 1;
}
