#include "harness/exec/breakpoint.h"

// A function that the compiler may neither inline nor drop, for a debugger to stop in.
extern "C" __attribute__((noinline)) void assay_breakpoint() {
  __asm__ volatile("");
}
