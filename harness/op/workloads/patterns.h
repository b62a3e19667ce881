// The patterns behind the table of workloads, one function each.
#pragma once

#include "harness/op/workloads/workload.h"

namespace assay {

Program trie_storm(const WorkloadOptions& options);
Program cow_trie(const WorkloadOptions& options);
Program bucketed_intern(const WorkloadOptions& options);
Program bulk_two_phase(const WorkloadOptions& options);
Program larson(const WorkloadOptions& options);
Program xmalloc(const WorkloadOptions& options);
Program cache_scratch(const WorkloadOptions& options);
Program mstress(const WorkloadOptions& options);
Program pairs(const WorkloadOptions& options);
Program mixed(const WorkloadOptions& options);
Program xpipe(const WorkloadOptions& options);
Program xring(const WorkloadOptions& options);
Program swiss_cheese(const WorkloadOptions& options);
Program region_pool(const WorkloadOptions& options);
Program arena_limit(const WorkloadOptions& options);
Program cow_trie_heaps(const WorkloadOptions& options);
Program bucketed_intern_heaps(const WorkloadOptions& options);
Program bulk_two_phase_heaps(const WorkloadOptions& options);

}  // namespace assay
