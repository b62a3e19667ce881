// How a subject that can be scheduled tells of its accesses to shared memory, access by access: the same two functions
// as ximalloc_debug.h describes. Plain data, known to subjects and schedulers, which do not know each other.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay {

struct AccessHooks {
  bool (*before)(const void* address, size_t size, int kind, int order) = nullptr;
  uint64_t (*after)(bool wrote, uint64_t before, uint64_t now) = nullptr;
};

}  // namespace assay
