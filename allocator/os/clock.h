// Time, in milliseconds since some fixed point. In the test flavours it is virtual: it starts at 0 and moves when the
// tester says so.
#pragma once

#include <cstdint>

namespace xi::os {

uint64_t clock_ms();

#if defined(XIMALLOC_TEST_SEAMS)
void advance_clock(uint64_t ms);
void reset_clock();
#endif

}  // namespace xi::os
