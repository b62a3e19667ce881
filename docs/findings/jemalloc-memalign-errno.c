// memalign(3) and valloc(3), ERRORS: ENOMEM where there is not enough memory. jemalloc answers NULL for a size that no
// object has, and leaves errno as it was.
//
//   gcc -O1 -fno-builtin docs/findings/jemalloc-memalign-errno.c -o /tmp/finding
//   LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 /tmp/finding
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  volatile size_t impossible = (size_t)PTRDIFF_MAX + 1;
  errno = 0;
  void* block = memalign(64, impossible);
  printf("memalign(64, PTRDIFF_MAX + 1): %p, errno %d (ENOMEM is %d)\n", block, errno, ENOMEM);
  errno = 0;
  block = valloc(impossible);
  printf("valloc(PTRDIFF_MAX + 1): %p, errno %d\n", block, errno);
  return 0;
}
