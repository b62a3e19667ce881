// One step as a line of text, without allocating: for --gdb, for reports of traces, for a crash handler.
#pragma once

#include <cstddef>

#include "harness/op/program.h"

namespace assay {

// "op 5[17]: p3 = malloc(24) @t1" into `out`, cut to `size` bytes with a zero at its end; returns the text's length.
size_t format_step(const Step& step, char* out, size_t size);

// The line on stderr.
void print_step(const Step& step);

}  // namespace assay
