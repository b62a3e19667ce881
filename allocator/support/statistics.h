// What the allocator holds, counted where it changes and after the change has succeeded. check/ compares the figures
// with the structures that they sum up.
#pragma once

#include "allocator/base/atomic.h"

namespace xi {

struct Statistics {
  Counter committed_bytes;  // of arenas
  Counter purged_bytes;     // given back to the system since the process started
  Counter pages;            // in use
};

extern Statistics statistics;

void reset_statistics();

}  // namespace xi
