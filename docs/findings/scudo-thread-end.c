// A thread whose first allocation is made by a destructor of its thread-local storage, and two more threads that
// allocate: scudo aborts when one of these ends. It wants to be the last destructor, waits for the fourth round from the
// first allocation on, and there are four in all: so what it has of the first thread stays in its list, and a later
// thread gets that memory, the thread's own, for its stack and storage.
// Found by `assay fuzz mt_ops --subject scudo`.
//
//   gcc -O1 -fno-builtin docs/findings/scudo-thread-end.c -o /tmp/finding -lpthread
//   LD_PRELOAD=/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.scudo_standalone-x86_64.so /tmp/finding
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_key_t key;
static pthread_barrier_t turn;

static void allocate(void* unused) {
  (void)unused;
  void* volatile block = malloc(100);
  free(block);
}

static void* allocates_at_its_end(void* set) {
  pthread_setspecific(key, set);
  return NULL;
}

static void* allocates(void* unused) {
  allocate(unused);
  return NULL;
}

// Lives all the time, and allocates between the two others.
static void* allocates_between(void* unused) {
  pthread_barrier_wait(&turn);
  allocate(unused);
  pthread_barrier_wait(&turn);
  pthread_barrier_wait(&turn);
  return NULL;
}

static pthread_t start(void* (*body)(void*)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, &key) != 0) exit(2);
  return thread;
}

static void said(const char* what) {
  puts(what);
  fflush(stdout);
}

int main(void) {
  // scudo makes its key at the first allocation: ours is behind it, and its destructor comes a round too late.
  allocate(NULL);
  pthread_key_create(&key, allocate);
  pthread_barrier_init(&turn, NULL, 2);
  pthread_t between = start(allocates_between);
  pthread_join(start(allocates_at_its_end), NULL);
  said("the thread that allocates at its end has ended");
  pthread_barrier_wait(&turn);
  pthread_barrier_wait(&turn);
  pthread_join(start(allocates), NULL);
  said("the next one has ended");
  pthread_barrier_wait(&turn);
  pthread_join(between, NULL);
  said("all have ended");
  return 0;
}
