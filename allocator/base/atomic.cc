#include "allocator/base/atomic.h"

#if defined(XIMALLOC_SCHED_HOOKS)
constinit void (*xi_sched_hook)(const void* address, int kind, int order) = nullptr;
#endif
