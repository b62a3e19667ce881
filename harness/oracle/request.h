// What an allocating call asks for, whatever its name and the order of its arguments.
#pragma once

#include <cstdint>

#include "harness/op/program.h"

namespace assay {

struct Request {
  uint64_t size = 0;       // bytes that the caller gets
  bool overflows = false;  // no number of 64 bits is as large as what is asked for
  bool aligned = false;    // an alignment is asked for
  uint64_t alignment = 1;  // as asked for, legal or not
  uint64_t offset = 0;     // of the byte that is aligned
  bool zeroed = false;     // what the caller has not written is zero
};

Request request_of(OpCode code, const uint64_t* args);

// C23, POSIX.1-2024 or glibc say what the function answers; the others are named after an allocator's own.
bool is_standard(OpCode code);

}  // namespace assay
