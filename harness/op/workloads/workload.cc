#include "harness/op/workloads/workload.h"

#include <algorithm>

#include "harness/op/workloads/patterns.h"

namespace assay {
namespace {

constexpr Workload kWorkloads[] = {
    {"trie_storm",
     "many threads at once allocate a few nodes each, their first ones all together, and drop them",
     {.threads = 16, .rounds = 2},
     trie_storm},
    {"cow_trie",
     "path copies of a shared trie; whoever holds the last snapshot frees the old nodes",
     {.threads = 4, .rounds = 200},
     cow_trie},
    {"bucketed_intern",
     "a symbol table of 128 buckets on cache lines of their own; strings live to the end",
     {.threads = 4, .rounds = 200},
     bucketed_intern},
    {"bulk_two_phase",
     "threads fill growing buffers, then one thread consumes and frees them all",
     {.threads = 4, .rounds = 4},
     bulk_two_phase},
    {"larson",
     "a server: random blocks replaced, each generation of threads inherits those of the last",
     {.threads = 4, .rounds = 4},
     larson},
    {"xmalloc", "some threads only allocate, others only free", {.threads = 4, .rounds = 8}, xmalloc},
    {"cache_scratch",
     "neighbouring small blocks handed to different threads, which free them and allocate again",
     {.threads = 4, .rounds = 50},
     cache_scratch},
    {"mstress",
     "mixed sizes, live blocks swapped between threads, threads that come and go",
     {.threads = 32, .rounds = 4},
     mstress},
    {"pairs", "malloc and free of one size, one at a time", {.threads = 4, .rounds = 100}, pairs},
    {"mixed", "blocks of 1 byte to 4 KiB, replaced at random", {.threads = 4, .rounds = 100}, mixed},
    {"xpipe",
     "messages through a pipeline: one thread allocates, each next one grows, the last one frees",
     {.threads = 4, .rounds = 50},
     xpipe},
    {"xring",
     "tokens around a ring of threads, freed and allocated anew at each station",
     {.threads = 4, .rounds = 50},
     xring},
    {"swiss_cheese",
     "166 MB of mixed blocks, a random half freed, the holes refilled with another size",
     {.threads = 1, .rounds = 30},
     swiss_cheese},
    {"region_pool",
     "regions of 16 equal slices in managed arenas; t0 hands slices out, other threads return them; regions end",
     {.threads = 4, .rounds = 200},
     region_pool},
    {"arena_limit",
     "exclusive arenas and heaps bound to them until the option says no, each filled until it is full",
     {.threads = 2, .rounds = 32},
     arena_limit},
    {"cow_trie_heaps",
     "cow_trie with a heap for each thread, every second one in an arena of its own",
     {.threads = 4, .rounds = 200},
     cow_trie_heaps},
    {"bucketed_intern_heaps",
     "bucketed_intern with a heap for each thread, every second one in an arena of its own",
     {.threads = 4, .rounds = 200},
     bucketed_intern_heaps},
    {"bulk_two_phase_heaps",
     "bulk_two_phase with a heap for each thread, every second one in an arena of its own",
     {.threads = 4, .rounds = 4},
     bulk_two_phase_heaps},
};

}  // namespace

std::span<const Workload> all_workloads() {
  return kWorkloads;
}

const Workload* find_workload(std::string_view name) {
  const auto* found = std::ranges::find(kWorkloads, name, &Workload::name);
  return found == std::end(kWorkloads) ? nullptr : found;
}

}  // namespace assay
