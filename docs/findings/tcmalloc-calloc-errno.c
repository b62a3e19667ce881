// POSIX.1-2024 calloc, ERRORS: a calloc that fails sets errno to ENOMEM. Run with LD_PRELOAD=libtcmalloc_minimal.so.4.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  volatile size_t count = (size_t)1 << 32;
  errno = 0;
  void* const block = calloc(count, count);
  printf("calloc(2^32, 2^32): %p, errno %d (ENOMEM is %d)\n", block, errno, ENOMEM);
  return block == NULL && errno == ENOMEM ? 0 : 1;
}
