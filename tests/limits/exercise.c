/* What exercise.ops says, as a program on the C interface: every kind of block, a thread, purges. Its system calls
 * count from the marker on, a getppid() that nothing else makes. A call may answer NULL with ENOMEM; contents must be
 * right. Exit status 0: so it was; 3: it was not. Prints how many calls answered NULL. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kBlocks = 80, kSampled = 4096, kWhole = 1 << 20, kWrong = 3 };

static unsigned char* blocks[kBlocks];
static size_t sizes[kBlocks];
static unsigned nulls;

static void say(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) _exit(kWrong);
}

static void wrong(const char* what) {
  say(what);
  say("\n");
  _exit(kWrong);
}

static int is_sampled(size_t size, size_t at) {
  return size <= kWhole || at < kSampled || at >= size - kSampled;
}

static void each_byte(int slot, void (*visit)(int slot, size_t at)) {
  const size_t size = sizes[slot];
  for (size_t at = 0; at < size; ++at) {
    if (!is_sampled(size, at)) at = size - kSampled;
    visit(slot, at);
  }
}

static void write_byte(int slot, size_t at) {
  blocks[slot][at] = (unsigned char)(slot * 31 + at);
}
static void check_byte(int slot, size_t at) {
  if (blocks[slot][at] != (unsigned char)(slot * 31 + at)) wrong("contents of a live block changed");
}
static void check_zero(int slot, size_t at) {
  if (blocks[slot][at] != 0) wrong("calloc left something");
}

/* Takes over what a call has answered; false when that was NULL. */
static int fill(int slot, void* block, size_t size) {
  if (block == NULL) {
    if (errno != ENOMEM) wrong("NULL without ENOMEM");
    ++nulls;
    return 0;
  }
  blocks[slot] = block;
  sizes[slot] = size;
  each_byte(slot, write_byte);
  return 1;
}

static void release(int slot) {
  if (blocks[slot] == NULL) return;
  each_byte(slot, check_byte);
  errno = 77;
  free(blocks[slot]);
  if (errno != 77) wrong("free changed errno");
  blocks[slot] = NULL;
}

static void* on_thread(void* nothing) {
  for (int slot = 60; slot < 70; ++slot) fill(slot, malloc((size_t)(slot - 59) * 20000), (size_t)(slot - 59) * 20000);
  return nothing;
}

static void resize(int slot, size_t size) {
  if (blocks[slot] == NULL) return;
  const size_t before = sizes[slot];
  unsigned char* const moved = realloc(blocks[slot], size);
  if (moved != NULL) blocks[slot] = moved;
  if (moved != NULL) sizes[slot] = before < size ? before : size;
  each_byte(slot, check_byte);
  if (moved == NULL && errno != ENOMEM) wrong("realloc: NULL without ENOMEM");
  if (moved == NULL) ++nulls;
  if (moved != NULL) fill(slot, moved, size);
}

int main(void) {
  getppid();
  fill(0, malloc(24), 24);
  for (int slot = 1; slot < 30; ++slot) fill(slot, malloc((size_t)slot * slot * 331), (size_t)slot * slot * 331);
  for (int slot = 30; slot < 50; ++slot) {
    blocks[slot] = calloc((size_t)slot, 999);
    sizes[slot] = (size_t)slot * 999;
    if (blocks[slot] != NULL) each_byte(slot, check_zero);
    fill(slot, blocks[slot], sizes[slot]);
  }
  for (int slot = 0; slot < 30; slot += 2) resize(slot, (size_t)slot * 9000 + 1);
  fill(50, aligned_alloc(1 << 20, 1 << 20), 1 << 20);
  fill(51, aligned_alloc(64 << 20, 100), 100);
  fill(52, aligned_alloc(64 << 20, 100), 100);
  fill(53, malloc(600u << 20), 600u << 20);
  for (int slot = 70; slot < 80; ++slot) fill(slot, malloc(8000), 8000);
  release(72);
  release(75);
  malloc_trim(0);
  pthread_t thread;
  if (pthread_create(&thread, NULL, on_thread, NULL) == 0) pthread_join(thread, NULL);
  for (int slot = 1; slot < kBlocks; slot += 2) release(slot);
  malloc_trim(0);
  for (int slot = 1; slot < 30; slot += 2) fill(slot, malloc((size_t)slot * 5000), (size_t)slot * 5000);
  for (int slot = 0; slot < kBlocks; ++slot) release(slot);
  malloc_trim(0);
  char line[] = "00 calls answered NULL\n";
  line[0] = (char)('0' + nulls / 10 % 10);
  line[1] = (char)('0' + nulls % 10);
  say(line);
  getppid();
  return 0;
}
