// What ends an image without running destructors: the buffered events go to the file first.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/recorder/next_allocator.h"
#include "tools/recorder/recording.h"

using assay::recorder::end_recording;
using assay::recorder::flush_recording;
using assay::recorder::next_definition;

namespace {

// What each name would have meant without us. Looked up when the library starts: dlsym takes locks that the caller of
// _exit or exec, who may be in a signal handler or in the child of a threaded process, could find taken for ever.
struct NextProcess {
  int (*execve)(const char*, char* const*, char* const*);
  int (*execvpe)(const char*, char* const*, char* const*);
  int (*fexecve)(int, char* const*, char* const*);
  int (*execveat)(int, const char*, char* const*, char* const*, int);
  void (*exit_now)(int);
  void (*quick_exit)(int);
  void (*abort)();
};
NextProcess g_next;

template <typename Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(next_definition(name));
}

__attribute__((constructor)) void find_next() {
  find(g_next.execve, "execve");
  find(g_next.execvpe, "execvpe");
  find(g_next.fexecve, "fexecve");
  find(g_next.execveat, "execveat");
  find(g_next.exit_now, "_exit");
  find(g_next.quick_exit, "quick_exit");
  find(g_next.abort, "abort");
}

// A constructor that runs before ours may already leave the image.
const NextProcess& next() {
  if (g_next.abort == nullptr) find_next();
  return g_next;
}

// Calls `run(argv, envp)` with the variable arguments of the execl family as an array on the stack: a child of vfork
// may not allocate. `with_environment`: the environment follows the closing null.
template <typename Run>
int with_array(const char* first, va_list arguments, bool with_environment, Run run) {
  va_list counted;
  va_copy(counted, arguments);
  size_t count = 1;
  if (first != nullptr) {
    while (va_arg(counted, const char*) != nullptr) ++count;
  }
  va_end(counted);
  auto** argv = static_cast<char**>(__builtin_alloca((count + 1) * sizeof(char*)));
  argv[0] = const_cast<char*>(first);
  for (size_t i = 1; i <= count && first != nullptr; ++i) argv[i] = va_arg(arguments, char*);
  char** envp = with_environment ? va_arg(arguments, char**) : environ;
  return run(argv, envp);
}

__attribute__((destructor)) void at_exit() {
  end_recording();
}

}  // namespace

extern "C" {

int execve(const char* path, char* const argv[], char* const envp[]) {
  flush_recording();
  return next().execve(path, argv, envp);
}

int execv(const char* path, char* const argv[]) {
  return execve(path, argv, environ);
}

int execvpe(const char* file, char* const argv[], char* const envp[]) {
  flush_recording();
  return next().execvpe(file, argv, envp);
}

int execvp(const char* file, char* const argv[]) {
  return execvpe(file, argv, environ);
}

int fexecve(int fd, char* const argv[], char* const envp[]) {
  flush_recording();
  return next().fexecve(fd, argv, envp);
}

int execveat(int directory, const char* path, char* const argv[], char* const envp[], int flags) {
  flush_recording();
  return next().execveat(directory, path, argv, envp, flags);
}

int execl(const char* path, const char* first, ...) {
  va_list arguments;
  va_start(arguments, first);
  const int result =
      with_array(first, arguments, false, [&](char** argv, char** envp) { return execve(path, argv, envp); });
  va_end(arguments);
  return result;
}

int execlp(const char* file, const char* first, ...) {
  va_list arguments;
  va_start(arguments, first);
  const int result =
      with_array(first, arguments, false, [&](char** argv, char** envp) { return execvpe(file, argv, envp); });
  va_end(arguments);
  return result;
}

int execle(const char* path, const char* first, ...) {
  va_list arguments;
  va_start(arguments, first);
  const int result =
      with_array(first, arguments, true, [&](char** argv, char** envp) { return execve(path, argv, envp); });
  va_end(arguments);
  return result;
}

void _exit(int status) {
  flush_recording();
  next().exit_now(status);
  __builtin_unreachable();
}

void _Exit(int status) {
  _exit(status);
}

void quick_exit(int status) {
  end_recording();
  next().quick_exit(status);
  __builtin_unreachable();
}

void abort() {
  flush_recording();
  next().abort();
  __builtin_unreachable();
}

}  // extern "C"
