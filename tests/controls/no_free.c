// A library that gives and never takes: no subject.
#include <stddef.h>

void* malloc(size_t size);
void* malloc(size_t size) {
  static char memory[4096];
  return size <= sizeof memory ? memory : NULL;
}
