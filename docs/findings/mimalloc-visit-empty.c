// mimalloc.h: mi_heap_visit_blocks is true when all areas and blocks were visited. Of a heap that has none it is false,
// as of one where the visitor has stopped.
//
//   gcc -O1 -fno-builtin docs/findings/mimalloc-visit-empty.c -o /tmp/finding -lmimalloc && /tmp/finding
#include <mimalloc.h>
#include <stdbool.h>
#include <stdio.h>

static bool go_on(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t size, void* context) {
  (void)heap;
  (void)area;
  (void)block;
  (void)size;
  (void)context;
  return true;
}

int main(void) {
  mi_heap_t* heap = mi_heap_new();
  printf("a heap without blocks: %s\n", mi_heap_visit_blocks(heap, true, go_on, NULL) ? "true" : "false");
  void* block = mi_heap_malloc(heap, 100);
  printf("with one:              %s\n", mi_heap_visit_blocks(heap, true, go_on, NULL) ? "true" : "false");
  mi_free(block);
  return 0;
}
