// C23 7.24.3.6, POSIX.1-2024 posix_memalign. When the system has no memory, or takes none back: run with
// LD_PRELOAD=libclang_rt.scudo_standalone-x86_64.so and mmap, thread, errno or munmap as the argument; link with -lpthread.
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
  void* volatile block = malloc(200);
  printf("malloc(200) in a new thread: %p\n", block);
  return unused;
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "mmap";
  setvbuf(stdout, NULL, _IONBF, 0);
  void* volatile block = malloc(1000000);
  if (strcmp(what, "munmap") == 0) {
    fail(SYS_munmap);
    free(block);
    puts("free returned");
  } else if (strcmp(what, "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, live, NULL);
    pthread_join(thread, NULL);
  } else if (strcmp(what, "errno") == 0) {
    fail(SYS_mmap);
    errno = 0;
    void* out = NULL;
    const int error = posix_memalign(&out, 65536, 100000);
    const int after = errno;
    printf("posix_memalign: %d, errno %d\n", error, after);
    return after == 0 ? 0 : 1;
  } else {
    fail(SYS_mmap);
    block = malloc(5000000);
    printf("malloc(5000000): %p\n", block);
  }
  return 0;
}
