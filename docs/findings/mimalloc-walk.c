// mi_heap_visit_blocks shows a block that another thread has freed, and its area counts otherwise.
//
// Found by comparing corpus/heap_api on ximalloc,mimalloc (edge-099, minimised to four operations). mimalloc.h: "Visit all
// areas and blocks in a heap", those that are allocated.
//
//   gcc -O1 -fno-builtin docs/findings/mimalloc-walk.c -o /tmp/finding -lmimalloc -lpthread && /tmp/finding
#include <mimalloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

static bool show(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t size, void* context) {
  (void)heap;
  (void)context;
  if (block == NULL) {
    printf("  an area with %zu blocks in use\n", area->used);
  } else {
    printf("  a block of %zu bytes\n", size);
  }
  return true;
}

static void* free_it(void* block) {
  mi_free(block);
  return NULL;
}

int main(void) {
  mi_heap_t* heap = mi_heap_new();
  void* block = mi_heap_malloc(heap, 100);
  pthread_t other;
  pthread_create(&other, NULL, free_it, block);
  pthread_join(other, NULL);
  puts("all that the heap had was freed by another thread:");
  mi_heap_visit_blocks(heap, true, show, NULL);
  puts("and after mi_heap_collect(heap, false):");
  mi_heap_collect(heap, false);
  mi_heap_visit_blocks(heap, true, show, NULL);
  return 0;
}
