// One line of a program as C statements.
#pragma once

#include <string>

#include "harness/op/program.h"

namespace assay {

// A number as C takes it without a warning.
std::string c_number(uint64_t value);

// Whether the line becomes a loop, each turn of which draws its own numbers.
bool stands_in_loop(const Operation& line);

// The call, in a loop where the line stands for several; "" for what leaves no trace in C (thread_exit: the function
// ends).
std::string c_call(const Operation& line);

}  // namespace assay
