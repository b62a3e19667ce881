// How the lower layers start what lies above them: pointers that process/ defines with constant initialisers, so that
// they are set before the first line of any program runs.
#pragma once

namespace xi {

// Starts the process if need be and gives the calling thread a heap. False when there is no memory for it; the next
// call tries again.
extern bool (*start_thread)();

}  // namespace xi
