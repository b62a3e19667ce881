// A thread of the allocator's own, of which there is at most one in a process. The caller sees to it that no two
// threads start or stop it at a time.
#pragma once

#include <cstdint>

namespace xi::os {

// Starts it: it calls `work` again and again, each time after as many milliseconds as the last call has returned. All
// signals are blocked on it. 0 or an errno value; 0 also when it runs already. The C library allocates meanwhile.
int start_background_thread(uint32_t (*work)());

// Returns when it has ended, or after a second, if it waits for something that the calling thread has.
void stop_background_thread();

// In the child of a fork, where it does not exist.
void forget_background_thread();

bool has_background_thread();

}  // namespace xi::os
