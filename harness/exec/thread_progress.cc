#include "harness/exec/thread_progress.h"

namespace assay {

constinit thread_local Progress* progress_of_this_thread = nullptr;

}  // namespace assay
