// mimalloc.h: mi_heap_destroy frees the blocks of that heap. It also frees what an ended thread has left, which nobody
// has freed: a heap that needs a segment takes over the abandoned one, and its pages with the live blocks in them are
// that heap's from then on.
// Found by `assay fuzz heap_api --subject mimalloc`, 4,397 operations minimised to 21: libc's memory for a thread's
// local storage went in this way, and the next pthread_create crashed.
//
//   gcc -O1 -fno-builtin docs/findings/mimalloc-heap-destroy-reclaimed.c -o /tmp/finding -lmimalloc -lpthread
#include <mimalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void* leaves_a_block(void* unused) {
  (void)unused;
  char* block = mi_malloc(100);
  strcpy(block, "still here");
  return block;
}

int main(void) {
  void* block = NULL;
  pthread_t thread;
  pthread_create(&thread, NULL, leaves_a_block, NULL);
  pthread_join(thread, &block);
  printf("before: %s\n", (char*)block);
  fflush(stdout);
  mi_heap_t* heap = mi_heap_new();
  // Until a new segment is needed.
  void* more = heap;
  for (int i = 0; i < 40 && more != NULL; ++i) more = mi_heap_malloc(heap, 1 << 20);
  printf("the new heap says of the thread's block that it is %s\n",
         mi_heap_contains_block(heap, block) ? "its own" : "not its own");
  fflush(stdout);
  mi_heap_destroy(heap);
  mi_collect(true);
  printf("after:  %s\n", (char*)block);
  return 0;
}
