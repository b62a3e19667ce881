// libc's malloc with a free that forgets one block in so many ($LEAK_ONE_IN): the positive control of the soak.
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_ulong frees;

void* leaky_malloc(size_t size);
void leaky_free(void* block);
void* leaky_calloc(size_t count, size_t size);
void* leaky_realloc(void* block, size_t size);

void* leaky_malloc(size_t size) {
  return malloc(size);
}

void* leaky_calloc(size_t count, size_t size) {
  return calloc(count, size);
}

void* leaky_realloc(void* block, size_t size) {
  return realloc(block, size);
}

void leaky_free(void* block) {
  const char* one_in = getenv("LEAK_ONE_IN");
  const unsigned long period = one_in != NULL ? strtoul(one_in, NULL, 10) : 0;
  if (period != 0 && atomic_fetch_add(&frees, 1) % period == 0) return;
  free(block);
}
