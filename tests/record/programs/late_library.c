// A library whose destructor runs after the recorder's, and still allocates.
#include <stdlib.h>

void* volatile late_block;

__attribute__((destructor)) static void after_the_recorder(void) {
  late_block = malloc(333);
  free(late_block);
}
