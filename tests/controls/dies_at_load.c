/* A shared object whose constructor crashes: refused before anything runs. */
#include <stdlib.h>

__attribute__((constructor)) static void crash(void) {
  abort();
}

void* malloc(size_t size) {
  return (void*)size;
}
void free(void* block) {
  (void)block;
}
