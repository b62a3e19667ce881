// How an exported program keeps the order of the text with real threads: it is cut into turns, and a semaphore hands
// over from one to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/op/program.h"

namespace assay {

// Consecutive lines of one thread.
struct Turn {
  uint32_t thread = 0;
  size_t body = 0;            // whose function: body 0 is main, and a thread after thread_exit() is a new one
  size_t begin = 0, end = 0;  // lines [begin, end)
  bool starts_body = false;   // the thread does not run yet
  bool ends_body = false;     // its last line is thread_exit()
};

// In the order of the text. The first one and the last one are main's, with no lines where the text has none for it.
std::vector<Turn> turns_of(const Program& program);

}  // namespace assay
