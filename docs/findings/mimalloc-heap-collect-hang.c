// mimalloc.h: mi_heap_collect(heap, true) gives memory back, and returns.
// A heap is destroyed after a thread has come and gone; the next heap is made the default, and another thread begins to
// allocate. Collecting the heap then never returns. All of it is legal: each call is by the heap's own thread.
// Found by `assay fuzz heap_api --subject mimalloc`, 2,700 operations minimised to 10.
// gcc -O1 mimalloc-heap-collect-hang.c -lmimalloc -lpthread, or the path of libmimalloc.so.2.0.
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

typedef struct mi_heap_s mi_heap_t;
mi_heap_t* mi_heap_new(void);
mi_heap_t* mi_heap_set_default(mi_heap_t* heap);
void mi_heap_destroy(mi_heap_t* heap);
void mi_heap_collect(mi_heap_t* heap, bool force);
void* mi_malloc(size_t size);
void mi_free(void* block);

static sem_t allocated;

static void* comes_and_goes(void* unused) {
  mi_free(mi_malloc(1));
  return unused;
}

static void* stays(void* unused) {
  mi_malloc(1);
  sem_post(&allocated);
  pause();
  return unused;
}

int main(void) {
  pthread_t thread;
  sem_init(&allocated, 0, 0);
  mi_heap_t* heap = mi_heap_new();
  mi_heap_set_default(heap);
  pthread_create(&thread, NULL, comes_and_goes, NULL);
  pthread_join(thread, NULL);
  mi_heap_destroy(heap);
  heap = mi_heap_new();
  mi_heap_set_default(heap);
  mi_free(mi_malloc(1));
  pthread_create(&thread, NULL, stays, NULL);
  sem_wait(&allocated);
  alarm(5);
  puts("mi_heap_collect");
  fflush(stdout);
  mi_heap_collect(heap, true);
  puts("returned");
  fflush(stdout);
  _exit(0);
}
