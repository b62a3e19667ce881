// Writes where only results may stand.
#include <stddef.h>
#include <unistd.h>

void* malloc(size_t size);
void free(void* block);

__attribute__((constructor)) static void greet(void) {
  static const char kText[] = "welcome\n";
  (void)!write(STDOUT_FILENO, kText, sizeof kText - 1);
}

void* malloc(size_t size) {
  static char memory[4096];
  return size <= sizeof memory ? memory : NULL;
}

void free(void* block) {
  (void)block;
}
