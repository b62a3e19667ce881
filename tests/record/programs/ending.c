// Allocates 31337 bytes and ends, or becomes another program, in the way that its argument names.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
extern void* volatile late_block;  // from late_library.c
static void* volatile g_block;

__attribute__((constructor)) static void before_main(void) {
  g_block = malloc(111);
  free(g_block);
}

__attribute__((destructor)) static void after_main(void) {
  g_block = malloc(222);
  free(g_block);
}

static int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  if (strcmp(how, "killed_late") == 0) {
    for (int i = 0; i < 200000; ++i) {
      g_block = malloc(64);
      free(g_block);
    }
    kill(getpid(), SIGKILL);
  }
  g_block = malloc(31337);
  late_block = NULL;
  char* const arguments[] = {"true", NULL};
  if (strcmp(how, "return") == 0) return 9;
  if (strcmp(how, "exit") == 0) exit(9);
  if (strcmp(how, "_exit") == 0) _exit(9);
  if (strcmp(how, "_Exit") == 0) _Exit(9);
  if (strcmp(how, "quick_exit") == 0) quick_exit(9);
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "pthread_exit") == 0) pthread_exit(NULL);
  if (strcmp(how, "execve") == 0) execve("/bin/true", arguments, environ);
  if (strcmp(how, "execv") == 0) execv("/bin/true", arguments);
  if (strcmp(how, "execvp") == 0) execvp("true", arguments);
  if (strcmp(how, "execvpe") == 0) execvpe("true", arguments, environ);
  if (strcmp(how, "execl") == 0) execl("/bin/sh", "sh", "-c", "exit 9", (char*)NULL);
  if (strcmp(how, "execlp") == 0) execlp("sh", "sh", "-c", "exit 9", (char*)NULL);
  if (strcmp(how, "execle") == 0) {
    char* environment[] = {"STATUS=9", NULL};
    execle("/bin/sh", "sh", "-c", "exit $STATUS", (char*)NULL, environment);
  }
  if (strcmp(how, "exec_fails") == 0) {
    execl("/nonexistent/program", "program", (char*)NULL);
    return 9;
  }
  if (strcmp(how, "vfork") == 0) {
    pid_t child = vfork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", "exit 9", (char*)NULL);
      _exit(1);
    }
    return wait_for(child);
  }
  if (strcmp(how, "fork") == 0) {
    pid_t child = fork();
    if (child == 0) {
      free(g_block);  // inherited: unknown in the child
      g_block = malloc(4444);
      exit(9);
    }
    return wait_for(child);
  }
  if (strcmp(how, "raw_fork") == 0) {
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
      g_block = malloc(4444);
      _exit(9);
    }
    return wait_for(child);
  }
  return 1;
}
