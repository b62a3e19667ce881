// The process at the other end of a Worker: `assay serve-worker` and the plain executable assay-worker are both this.
#pragma once

#include "harness/exec/worker_server.h"

namespace assay {

// Either `--subject SPEC --channel FD`: serves requests and does not return while the parent lives. Or, under a
// debugger, `--subject SPEC --file F --line L --member M [--trace-process N]`: runs one file and calls
// assay_breakpoint() before operation L[M].
int worker_main(int argc, char** argv, const ServerHooks::Coverage* coverage = nullptr);

}  // namespace assay
