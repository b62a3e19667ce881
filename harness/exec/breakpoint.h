// Where `replay --gdb` stops: called right before the operation that was asked for.
#pragma once

extern "C" void assay_breakpoint();
