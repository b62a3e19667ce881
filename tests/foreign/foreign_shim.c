// pool_alloc.h as a subject: ./libforeign.so:foreign_. The size that the pool wants back stands before each block.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "pool_alloc.h"

void* foreign_malloc(size_t size);
void foreign_free(void* block);
void* foreign_calloc(size_t count, size_t size);
void* foreign_realloc(void* block, size_t size);

enum { kHead = 16 };
static pool_t* pool;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t* head_of(void* block) {
  return (size_t*)((char*)block - kHead);
}

void* foreign_malloc(size_t size) {
  void* memory = NULL;
  pthread_mutex_lock(&lock);
  if (pool == NULL) pool = pool_create();
  const int fits = pool != NULL && size <= PTRDIFF_MAX - kHead && pool_get(pool, size + kHead, &memory) == POOL_OK;
  pthread_mutex_unlock(&lock);
  if (!fits) return errno = ENOMEM, NULL;
  *(size_t*)memory = size;
  return (char*)memory + kHead;
}

void foreign_free(void* block) {
  if (block == NULL) return;
  const int error = errno;
  pthread_mutex_lock(&lock);
  pool_put(pool, head_of(block), *head_of(block) + kHead);
  pthread_mutex_unlock(&lock);
  errno = error;
}

void* foreign_calloc(size_t count, size_t size) {
  if (size != 0 && count > PTRDIFF_MAX / size) return errno = ENOMEM, NULL;
  void* const block = foreign_malloc(count * size);
  return block == NULL ? NULL : memset(block, 0, count * size);
}

void* foreign_realloc(void* block, size_t size) {
  void* const moved = foreign_malloc(size);
  if (block == NULL || moved == NULL) return moved;
  memcpy(moved, block, *head_of(block) < size ? *head_of(block) : size);
  foreign_free(block);
  return moved;
}
