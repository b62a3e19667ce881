// Calls each function of the malloc family once, between two marks, and sees to it that errno is what it would be
// without a recorder. Exits 0 when all is as the manual says.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The compiler may not know what it calls, or it would leave calls out.
static void* (*volatile call_malloc)(size_t) = malloc;
static void* (*volatile call_realloc)(void*, size_t) = realloc;
static void (*volatile call_free)(void*) = free;

// memalign rounds it up to 32.
static volatile size_t odd_alignment = 24;

static int failures;
static void expect(int truth, const char* what) {
  if (!truth) {
    fprintf(stderr, "every_function: %s\n", what);
    ++failures;
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  errno = 77;
  for (int i = 0; i < 50000; ++i) call_free(call_malloc(100));
  expect(errno == 77, "a chunk that was written changed errno");
  void* first_mark = call_malloc(12321);
  void* b = calloc(3, 50);
  b = call_realloc(b, 4000);
  void* c = call_realloc(NULL, 33);
  c = reallocarray(c, 11, 5);
  void* d = aligned_alloc(64, 640);
  void* e = NULL;
  expect(posix_memalign(&e, 128, 99) == 0, "posix_memalign failed");
  void* f = memalign(odd_alignment, 70);
  void* g = valloc(71);
  void* h = pvalloc(72);
  expect(malloc_usable_size(h) >= 4096, "pvalloc gives whole pages");
  call_free(NULL);
  call_free(b);
  expect(errno == 77, "a call that succeeded changed errno");
  expect((uintptr_t)d % 64 == 0 && (uintptr_t)e % 128 == 0 && (uintptr_t)g % 4096 == 0, "misaligned");

  expect(call_malloc(SIZE_MAX / 2 + 1) == NULL && errno == ENOMEM, "malloc(2^63)");
  errno = 77;
  void* kept = &failures;
  expect(posix_memalign(&kept, 3, 8) == EINVAL && errno == 77 && kept == &failures, "posix_memalign(3)");
  expect(call_realloc(c, SIZE_MAX / 2 + 2) == NULL && errno == ENOMEM, "realloc(2^63 + 1)");
  expect(reallocarray(c, SIZE_MAX, 2) == NULL && errno == ENOMEM, "reallocarray overflow");
  call_free(c);
  call_free(d);
  call_free(e);
  call_free(f);
  call_free(g);
  call_free(h);
  char* text = strdup("libc's own calls are seen as well");
  call_free(text);
  call_free(first_mark);
  void* last_mark = call_malloc(12322);
  call_free(last_mark);
  return failures == 0 ? 0 : 1;
}
