// Programs made at random, operation by operation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/op/program.h"

namespace assay {

// A well-formed program of exactly `operations` operations (members of ranges count, at most kMaxOperations), drawn by
// the weights of ops.def. The same seed gives the same program. One in 6 has threads, one in 64 forks.
Program generate(uint64_t seed, size_t operations);

}  // namespace assay
