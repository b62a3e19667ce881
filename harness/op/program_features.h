// What a program exercises, as a set of numbers: programs are diverse when these sets differ.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/op/program.h"

namespace assay {

// Sorted and without duplicates. Features are: operation and size class; a realloc's way from class to class; pairs of
// neighbouring operations and whether the thread changes; age of a block when it is freed, and whether another thread
// frees it; number of threads and of live blocks.
std::vector<uint32_t> features(const Program& program);

// Indices of at most `count` of the sets, chosen greedily: each choice adds most of what was covered least so far. In
// the order of their choice.
std::vector<size_t> diverse_subset(const std::vector<std::vector<uint32_t>>& sets, size_t count);

}  // namespace assay
