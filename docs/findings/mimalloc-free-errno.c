// POSIX.1-2024 free: errno is not modified. When the system refuses to take memory back: run with
// LD_PRELOAD=libmimalloc.so.2.0.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

int main(void) {
  void* volatile other = malloc(5000000);
  void* volatile block = calloc(1, 6000000);
  memset(block, 1, 6000000);
  other = realloc(other, 9000000);
  /* It takes its time before it gives memory back. */
  usleep(600000);
  fail(SYS_madvise);
  errno = 0;
  free(block);
  const int after = errno;
  printf("errno after free: %d\n", after);
  free(other);
  return after == 0 ? 0 : 1;
}
