// Where the calling thread of a program notes how far it is, when several run at a time and each has its own: a crash
// handler, which runs on the thread that crashed, asks here first.
#pragma once

#include "harness/exec/run.h"

namespace assay {

// Null where the Progress of RunOptions is all there is.
extern constinit thread_local Progress* progress_of_this_thread;

}  // namespace assay
