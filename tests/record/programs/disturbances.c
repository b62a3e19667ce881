// Does what makes life hard for a recorder, by the name of its argument; exits 9 when nothing went wrong.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static void* volatile g_block;

static void allocate(int times) {
  for (int i = 0; i < times; ++i) {
    void* block = malloc(100);
    g_block = block;
    free(block);
  }
}

// Closes every descriptor, then puts a file of its own on each number.
static int close_all(const char* own_file) {
  allocate(1000);
  for (int fd = 3; fd < 1024; ++fd) close(fd);
  int own = open(own_file, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (own != 3) return 1;
  allocate(100000);
  for (int fd = 4; fd < 1024; ++fd) dup2(own, fd);
  allocate(100000);
  for (int fd = 4; fd < 1024; ++fd) close(fd);
  allocate(100000);
  g_block = malloc(31337);
  return lseek(own, 0, SEEK_END) == 0 ? 9 : 2;
}

static void* volatile g_kept;
static volatile sig_atomic_t g_signals;
static void on_signal(int number) {
  (void)number;
  // Asks the allocator something that takes none of its locks: glibc answers from the block's header.
  if (malloc_usable_size(g_kept) < 40) _exit(3);
  ++g_signals;
}

static int signals(void) {
  g_kept = malloc(40);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 50}, {0, 50}};
  setitimer(ITIMER_REAL, &often, NULL);
  while (g_signals < 3000) allocate(100);
  memset(&often, 0, sizeof often);
  setitimer(ITIMER_REAL, &often, NULL);
  return 9;
}

static atomic_int g_phase;
static void* uncancelled(void* argument) {
  g_phase = 1;
  while (g_phase == 1) {
  }
  allocate(300000);  // a request to end is pending: only a cancellation point may act on it, and malloc is none
  return argument;
}

static int cancel(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, uncancelled, &g_phase) != 0) return 1;
  while (g_phase == 0) {
  }
  pthread_cancel(thread);
  g_phase = 2;
  void* result = NULL;
  pthread_join(thread, &result);
  return result == &g_phase ? 9 : 2;
}

static int file_size(void) {
  allocate(100000);  // the trace is longer than the limit by now: another write would raise SIGXFSZ
  struct rlimit limit = {20000, 20000};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  allocate(300000);
  return 9;
}

static int few_descriptors(void) {
  struct rlimit limit = {8, 8};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  allocate(300000);
  g_block = malloc(31337);
  return 9;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "close_all") == 0 && argc > 2) return close_all(argv[2]);
  if (strcmp(what, "signals") == 0) return signals();
  if (strcmp(what, "cancel") == 0) return cancel();
  if (strcmp(what, "file_size") == 0) return file_size();
  if (strcmp(what, "few_descriptors") == 0) return few_descriptors();
  return 1;
}
