// Whether a process that makes no progress stands still or was not let run: on a loaded machine ten seconds may pass
// without its having had a turn.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace assay {

// Processor time that the process has used in all, in milliseconds; 0 when it is not there.
uint64_t cpu_ms(pid_t process);

// Whether some thread of it runs or waits for a processor; one that sleeps, for a lock or a timer, does not.
bool is_runnable(pid_t process);

}  // namespace assay
