// C23 7.24.3.6: malloc returns a block or a null pointer. A thread's first call, when the system has no memory: run with
// LD_PRELOAD=libjemalloc.so.2, link with -lpthread.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From here on, and for the calling thread, the kernel answers this call with ENOMEM. */
static void fail(unsigned call) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {4, filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) _exit(3);
}

static void* live(void* unused) {
  fail(SYS_mmap);
  void* volatile block = malloc(100000);
  printf("malloc(100000): %p\n", block);
  free(block);
  return unused;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  pthread_t thread;
  if (pthread_create(&thread, NULL, live, NULL) != 0) return 3;
  pthread_join(thread, NULL);
  return 0;
}
