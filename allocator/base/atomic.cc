#include "allocator/base/atomic.h"

#if defined(XIMALLOC_SCHED_HOOKS)
constinit const xi::SchedHooks* xi_sched_hooks = nullptr;
#endif
