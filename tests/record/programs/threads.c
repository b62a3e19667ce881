// Threads that allocate, resize, hand blocks to each other and end; children by fork in the middle of it.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kThreads = 4, kGenerations = 3, kSteps = 20000, kMailboxes = 64 };

static _Atomic(char*) g_mailboxes[kMailboxes];

// A block's first byte is what its owner wrote; a block that two owners share would show.
static void* work(void* argument) {
  uint32_t random = (uint32_t)(uintptr_t)argument * 2654435761u + 1;
  char* own[16] = {0};
  for (int i = 0; i < kSteps; ++i) {
    random = random * 1664525u + 1013904223u;
    char** place = &own[random >> 28];
    size_t size = 1 + (random >> 8) % 3000;
    switch ((random >> 20) % 4) {
      case 0:
        free(*place);
        *place = malloc(size);
        break;
      case 1: *place = realloc(*place, size); break;
      case 2:
        free(*place);
        *place = calloc(1, size);
        break;
      default:  // swap with whatever lies in a mailbox: frees and reallocs by other threads than the owner
        *place = atomic_exchange(&g_mailboxes[(random >> 4) % kMailboxes], *place);
        break;
    }
    if (*place != NULL) **place = (char)i;
  }
  for (int i = 0; i < 16; ++i) free(own[i]);
  // All threads take and give back blocks of one size as fast as they can: what one frees is the next one's.
  for (int i = 0; i < kSteps; ++i) {
    char* volatile block = malloc(64);
    block = realloc(block, 200);
    free(block);
  }
  return NULL;
}

int main(void) {
  for (int generation = 0; generation < kGenerations; ++generation) {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; ++i) {
      if (pthread_create(&threads[i], NULL, work, (void*)(uintptr_t)(generation * kThreads + i + 1)) != 0) return 1;
    }
    pid_t child = fork();
    if (child == 0) {
      work((void*)(uintptr_t)99);
      _exit(generation);
    }
    for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != generation) return 2;
  }
  for (int i = 0; i < kMailboxes; ++i) free(g_mailboxes[i]);
  return 0;
}
