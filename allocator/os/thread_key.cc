#include "allocator/os/thread_key.h"

#include <pthread.h>

#include "allocator/os/errno_keeper.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/os/seam.h"
#endif

namespace xi::os {

namespace {

// These survive a reset: the C library knows of them, and knows them only once.
constinit bool key_exists = false;
constinit bool fork_handlers_exist = false;
constinit pthread_key_t key = 0;
constinit void (*exit_handler)() = nullptr;

void run_exit_handler(void*) {
  exit_handler();
}

}  // namespace

int create_thread_key(void (*at_exit)()) {
#if defined(XIMALLOC_TEST_SEAMS)
  if (const int refused = seam_refuses(Call::kKeyCreate)) return refused;
#endif
  if (key_exists) return 0;
  exit_handler = at_exit;
  const int error = pthread_key_create(&key, &run_exit_handler);
  key_exists = error == 0;
  return error;
}

void arm_thread_exit() {
  ErrnoKeeper keeper;
  pthread_setspecific(key, &key);
}

#if defined(XIMALLOC_TEST_SEAMS)
bool disarm_thread_exit() {
  if (!key_exists || pthread_getspecific(key) == nullptr) return false;
  pthread_setspecific(key, nullptr);
  return true;
}
#endif

void register_fork_handlers(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  if (fork_handlers_exist) return;
  fork_handlers_exist = true;
  ErrnoKeeper keeper;
  pthread_atfork(before, in_parent, in_child);
}

}  // namespace xi::os
