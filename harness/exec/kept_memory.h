// What run_sequential() keeps from one program to the next, so that it need not map it again.
#pragma once

namespace assay {

// Gives it back to the kernel. A subject that lays its blocks at ever new addresses makes the model of them grow to
// tens of megabytes, which who measures the subject's memory would take for the subject's.
void give_back_kept_memory();

}  // namespace assay
